using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Postgres;

/// <summary>A page to look into the database; never made in the local way.</summary>
public sealed class PgWebContainerResource(string name) : ContainerResource(name);

/// <summary>A page to look into the database; never made in the local way.</summary>
public sealed class PgAdminContainerResource(string name) : ContainerResource(name);
