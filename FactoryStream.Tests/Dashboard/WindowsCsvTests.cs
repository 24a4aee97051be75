using System.Net.Http.Headers;
using System.Text;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class WindowsCsvTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Windows_are_CSV_on_request_quoted_where_needed()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
                await database.CloseAsync(await database.EngineAsync("plant \"north\", hall 1", "e"), Seeds.Start, ("rpm", 0.1))
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/windows?from=2026-02-25T00:00:00Z");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/csv"));

        using var response = await dashboard.Client.SendAsync(request);

        Assert.Equal("text/csv; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n"
                + "\"plant \"\"north\"\", hall 1\",e,rpm,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,1,-0.9,2.1,0.1,2,0,true\r\n",
            await response.Content.ReadAsStringAsync()
        );
    }

    [SkippableFact]
    public async Task A_name_that_a_spreadsheet_would_take_for_a_formula_is_text_and_Excel_gets_a_byte_order_mark()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
                await database.CloseAsync(await database.EngineAsync("=1+1", "@e,\"1\""), Seeds.Start, ("-ü", -5), ("+a", 1), ("b=1", 1))
        );

        using var response = await dashboard.Client.GetAsync("/api/windows?from=2026-02-25T00:00:00Z&excel=true");

        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("text/csv; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "\uFEFFfactory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",'+a,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,10,0,3,1,2,0,true\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",'-ü,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,-50,-6,-3,-5,2,0,true\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",b=1,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,10,0,3,1,2,0,true\r\n",
            Encoding.UTF8.GetString(bytes)
        );
    }
}
