using Microsoft.EntityFrameworkCore;

namespace Berth.Accounts;

/// <summary>
/// The entity model over the schema <c>berth</c>; the schema itself is made by the SQL scripts beside it, and a test holds the two
/// together.
/// </summary>
internal sealed class AccountsContext(DbContextOptions<AccountsContext> options) : DbContext(options)
{
    public DbSet<PersonRow> People => Set<PersonRow>();

    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<RevokedSessionRow> RevokedSessions => Set<RevokedSessionRow>();

    public DbSet<AuditRow> AuditEvents => Set<AuditRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("berth");
        modelBuilder.Entity<PersonRow>(e =>
        {
            e.ToTable("people").HasKey(p => p.Id);
            e.Property(p => p.Id).HasColumnName("id").ValueGeneratedNever();
            e.Property(p => p.Issuer).HasColumnName("issuer");
            e.Property(p => p.Subject).HasColumnName("subject");
            e.Property(p => p.Email).HasColumnName("email");
            e.Property(p => p.Name).HasColumnName("name");
            e.Property(p => p.CreatedAt).HasColumnName("created_at");
            e.Property(p => p.LastSeenAt).HasColumnName("last_seen_at");
            e.Property(p => p.DisabledAt).HasColumnName("disabled_at");
            e.Property(p => p.Epoch).HasColumnName("epoch");
        });
        modelBuilder.Entity<SessionRow>(e =>
        {
            e.ToTable("sessions").HasKey(s => s.Id);
            e.Property(s => s.Id).HasColumnName("id");
            e.Property(s => s.PersonId).HasColumnName("person_id");
            e.Property(s => s.Device).HasColumnName("device");
            e.Property(s => s.ProviderSessionId).HasColumnName("provider_session_id");
            e.Property(s => s.Epoch).HasColumnName("epoch");
            e.Property(s => s.CreatedAt).HasColumnName("created_at");
            e.Property(s => s.LastSeenAt).HasColumnName("last_seen_at");
            e.Property(s => s.ExpiresAt).HasColumnName("expires_at");
            e.Property(s => s.IdleExpiresAt).HasColumnName("idle_expires_at");
            e.Property(s => s.RefreshCount).HasColumnName("refresh_count");
            e.Property(s => s.Workspace).HasColumnName("workspace");
            e.Property(s => s.StartedAt).HasColumnName("started_at");
            e.Property(s => s.EndedAt).HasColumnName("ended_at");
            e.Property(s => s.EndReason).HasColumnName("end_reason");
            e.HasOne(s => s.Person).WithMany().HasForeignKey(s => s.PersonId);
        });
        modelBuilder.Entity<RevokedSessionRow>(e =>
        {
            e.ToTable("revoked_sessions").HasKey(s => s.Id);
            e.Property(s => s.Id).HasColumnName("id");
            e.Property(s => s.RevokedAt).HasColumnName("revoked_at");
            e.Property(s => s.Until).HasColumnName("until");
        });
        modelBuilder.Entity<AuditRow>(e =>
        {
            e.ToTable("audit_events").HasKey(a => a.Id);
            e.Property(a => a.Id).HasColumnName("id").ValueGeneratedNever();
            e.Property(a => a.At).HasColumnName("at");
            e.Property(a => a.Issuer).HasColumnName("issuer");
            e.Property(a => a.Subject).HasColumnName("subject");
            e.Property(a => a.Action).HasColumnName("action");
            e.Property(a => a.Object).HasColumnName("object");
            e.Property(a => a.Outcome).HasColumnName("outcome");
            e.Property(a => a.RequestId).HasColumnName("request_id");
        });
    }
}

internal sealed class PersonRow
{
    public Guid Id { get; set; }

    public string Issuer { get; set; } = "";

    public string Subject { get; set; } = "";

    public string? Email { get; set; }

    public string? Name { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset? DisabledAt { get; set; }

    public long Epoch { get; set; }
}

internal sealed class SessionRow
{
    public string Id { get; set; } = "";

    public Guid PersonId { get; set; }

    public PersonRow? Person { get; set; }

    public string Device { get; set; } = "";

    public string? ProviderSessionId { get; set; }

    public long Epoch { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    public DateTimeOffset? IdleExpiresAt { get; set; }

    public int RefreshCount { get; set; }

    public string? Workspace { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public string? EndReason { get; set; }
}

internal sealed class RevokedSessionRow
{
    public string Id { get; set; } = "";

    public DateTimeOffset RevokedAt { get; set; }

    public DateTimeOffset Until { get; set; }
}

internal sealed class AuditRow
{
    public Guid Id { get; set; }

    public DateTimeOffset At { get; set; }

    public string? Issuer { get; set; }

    public string? Subject { get; set; }

    public string Action { get; set; } = "";

    public string? Object { get; set; }

    public string Outcome { get; set; } = "";

    public string? RequestId { get; set; }
}
