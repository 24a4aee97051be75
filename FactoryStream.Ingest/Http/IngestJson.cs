using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;

namespace FactoryStream.Ingest.Http;

/// <summary>The JSON of answers, for the OpenAPI document and for problems.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IngestAnswer))]
[JsonSerializable(typeof(IngestProblem))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(string))]
internal sealed partial class IngestJson : JsonSerializerContext;
