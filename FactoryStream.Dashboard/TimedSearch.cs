using System.Globalization;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard;

/// <summary>Statements that look for rows somebody asked for: one that takes too long is ended by the database itself.</summary>
internal sealed class TimedSearch(NpgsqlDataSource database, IOptions<DashboardOptions> options)
{
    /// <summary>Longest that a statement may take.</summary>
    public TimeSpan Timeout => options.Value.SearchTimeout;

    /// <summary>Runs statements on a connection whose statements have the timeout.</summary>
    /// <param name="search">The statements; they are not repeated.</param>
    /// <param name="advice">What to ask for instead where they take too long.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="SearchTooLongException">A statement took too long.</exception>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> search, string advice, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        // For the session; the pool resets it when the connection comes back.
        await using (var setting = new NpgsqlCommand("SELECT set_config('statement_timeout', $1, false)", connection))
        {
            setting.Parameters.AddWithValue(Timeout.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture));
            await setting.ExecuteNonQueryAsync(cancellation);
        }
        try
        {
            return await search(connection);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            cancellation.ThrowIfCancellationRequested();
            throw TooLong(advice);
        }
    }

    /// <summary>What is thrown where a search takes too long.</summary>
    public SearchTooLongException TooLong(string advice) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The search takes longer than {Timeout.TotalSeconds:0.#} s. {advice}"));
}

/// <summary>A search was ended, for it took too long.</summary>
internal sealed class SearchTooLongException(string message) : NotNowException(message);
