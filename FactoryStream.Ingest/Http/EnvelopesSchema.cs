using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace FactoryStream.Ingest.Http;

/// <summary>The body of <c>POST /readings</c>, as the OpenAPI document describes it.</summary>
internal static class EnvelopesSchema
{
    public static OpenApiRequestBody RequestBody
    {
        get
        {
            var reading = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description =
                    "A reading; its bytes are what is signed. Every further member that is a number is a metric; others are kept "
                    + "as evidence.",
                Required = new HashSet<string> { "factory_id", "engine_id", "timestamp" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["factory_id"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    ["engine_id"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    ["timestamp"] = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Description = "yyyy-MM-dd HH:mm:ss[.fff] or RFC 3339, UTC where no offset is given",
                    },
                },
            };
            var batch = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description =
                    "Readings of one factory, signed together: the array's bytes, from [ to ], are what is signed. A batch has one "
                    + "verdict.",
                MinItems = 1,
                MaxItems = Contracts.ReadingParser.MaxBatchReadings,
                Items = reading,
            };
            var envelope = new OpenApiSchema
            {
                OneOf = [Envelope("data", reading, Example("data", "{", "}")), Envelope("batch", batch, Example("batch", "[{", "}]"))],
            };
            return new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new() { Schema = envelope },
                    ["application/x-ndjson"] = new()
                    {
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Envelopes, one a line." },
                    },
                },
            };
        }
    }

    private static OpenApiSchema Envelope(string signed, OpenApiSchema content, string example) =>
        new()
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { signed, "signature" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                [signed] = content,
                ["signature"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "RSASSA-PSS with SHA-256, base64" },
                ["key_id"] = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null },
            },
            Examples = [JsonNode.Parse(example)!],
        };

    private static string Example(string signed, string begin, string end) =>
        $$"""
            {"{{signed}}": {{begin}}"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20",
            "rpm": 3001{{end}}, "signature": "J5Bzk5ti…"}
            """;
}
