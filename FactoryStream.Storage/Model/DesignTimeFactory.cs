using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace FactoryStream.Storage;

/// <summary>For <c>dotnet ef migrations add</c>, which needs a model and no database.</summary>
internal sealed class DesignTimeFactory : IDesignTimeDbContextFactory<FactoryDbContext>
{
    public FactoryDbContext CreateDbContext(string[] args) =>
        new(FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql()).Options);
}
