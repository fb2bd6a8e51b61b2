using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Testing;
using static Berth.Edge.Tests.Processes.EdgeInstallation;

namespace Berth.Edge.Tests.Processes;

/// <summary>
/// Two people use everything that is theirs at once, through two replicas, by token and by session, while their access tokens are
/// renewed again and again. Each byte of each answer is searched for what belongs to the other.
/// </summary>
public class TwoPeopleSoakTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const int Requests = 5000;

    [SkippableFact]
    public async Task Soak_TwoPeopleFiveThousandRequestsTwoEdges_NotOneByteOfTheOther()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        EdgeProcess[] edges = [await berth.NewEdgeAsync(), await berth.NewEdgeAsync()];
        var ann = await Person.ArriveAsync(berth, "ann", edges);
        var bob = await Person.ArriveAsync(berth, "bob", edges);
        (ann.Other, bob.Other) = (bob, ann);
        Person[] people = [ann, bob];
        var before = berth.Calendar.Proxy.Refreshes;

        var random = new Random(11);
        var wishes = Enumerable.Range(0, Requests)
            .Select(i => (Person: people[i % 2], Edge: random.Next(2), Session: random.Next(2) > 0, Kind: random.Next(Person.Kinds), i))
            .ToList();
        await Parallel.ForEachAsync(
            wishes, new ParallelOptions { MaxDegreeOfParallelism = 24 },
            async (w, _) => await w.Person.DoAsync(w.Kind, w.Edge, w.Session, w.i));

        Assert.InRange(berth.Calendar.Proxy.Refreshes - before, 5, 200);
        Assert.Empty(ann.Tokens.Keys.Intersect(bob.Tokens.Keys));
        Assert.All(people, p => Assert.True(p.Tokens.Count > 1, $"{p.Name} had {p.Tokens.Count} tokens"));
    }

    private sealed class Person(string name)
    {
        public const int Kinds = 10;
        private const int MostAttempts = 50;
        private readonly List<HttpClient> _byToken = [];
        private readonly List<HttpClient> _bySession = [];
        private readonly string _secret = $"secret-of-{name}-{Guid.NewGuid():n}";
        private string _session = "";
        private Guid _id;

        public string Name { get; } = $"{name}-{Guid.NewGuid():n}";

        public Person? Other { get; set; }

        /// <summary>Access tokens given out to this person.</summary>
        public ConcurrentDictionary<string, bool> Tokens { get; } = new();

        /// <summary>Signs in at one edge; the session is good at both.</summary>
        public static async Task<Person> ArriveAsync(EdgeInstallation berth, string name, EdgeProcess[] edges)
        {
            var person = new Person(name);
            var token = berth.TokenOf(person.Name);
            var browser = new Browser(Loopback.Handler(edges[0].Port));
            using (await browser.FollowAsync($"{ProductFixture.Origin}/login?return=%2Ftos"))
            {
                person._session = browser.CookieHeader("localhost");
            }

            Assert.NotEqual("", person._session);
            foreach (var edge in edges)
            {
                person._byToken.Add(edge.Client(token));
                var session = edge.Client();
                session.DefaultRequestHeaders.Add("Cookie", person._session);
                session.DefaultRequestHeaders.Add("Origin", ProductFixture.Origin);
                person._bySession.Add(session);
            }

            person._id = await berth.ConnectAsync(person._byToken[0], person.Name);
            await person.CheckAsync(() => person._byToken[0].PutAsJsonAsync("/api/me/data/diary", new { text = person._secret }), 204);
            return person;
        }

        public Task DoAsync(int kind, int edge, bool session, int number)
        {
            var client = (session ? _bySession : _byToken)[edge];
            return kind switch
            {
                0 => TokenAsync(client, force: number % 20 < 2),
                1 => CheckAsync(
                    () => client.PostAsync($"{TokenManager}access-token?persistent_token_id={Other!._id}", null), 404, except: Other!._id),
                2 => CheckAsync(() => client.GetAsync(Call), 200, $"\"{Name}\""),
                3 => CheckAsync(() => client.GetAsync("/api/me/data/diary"), 200, _secret),
                4 => CheckAsync(() => client.PutAsJsonAsync($"/api/me/data/n{number % 40}", new { text = $"{_secret} {number}" }), 204),
                5 => CheckAsync(() => client.GetAsync("/api/me/data"), 200),
                6 => CheckAsync(() => client.GetAsync("/api/me/sessions"), 200),
                7 => CheckAsync(() => client.GetAsync($"{TokenManager}validate-token"), 200, Name),
                8 => CheckAsync(() => client.DeleteAsync($"{TokenManager}offline-token-id?id={Other!._id}"), 404, except: Other!._id),
                _ => CheckAsync(() => client.GetAsync("/api/me"), 200, Name),
            };
        }

        private async Task TokenAsync(HttpClient client, bool force)
        {
            var body = await CheckAsync(() => client.PostAsync(
                $"{TokenManager}access-token?persistent_token_id={_id}&force_refresh={(force ? "true" : "false")}", null), 200);
            var token = (string)JsonNode.Parse(body)!["access_token"]!;
            Assert.Equal(Name, ForeignProvider.SubjectOf(token));
            Tokens[token] = true;
        }

        private async Task<string> CheckAsync(Func<Task<HttpResponseMessage>> call, int status, string? has = null, Guid? except = null)
        {
            for (var attempt = 1; ; attempt++)
            {
                using var answer = await call();
                var text = await answer.Content.ReadAsStringAsync();
                CheckForTheOthers(answer, text, except);

                // A database that cannot keep up is told honestly, and whoever is told comes back.
                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && attempt < MostAttempts)
                {
                    await Task.Delay(100);
                    continue;
                }

                Assert.True((int)answer.StatusCode == status, $"{answer.RequestMessage!.RequestUri} answered {answer.StatusCode}: {text}");
                if (has is not null)
                {
                    Assert.Contains(has, text, StringComparison.Ordinal);
                }

                return text;
            }
        }

        private void CheckForTheOthers(HttpResponseMessage answer, string text, Guid? except)
        {
            // A refusal may repeat the id that was asked about, and nothing else.
            var all = answer.Headers + text;
            all = except is null ? all : all.Replace($"{except}", "", StringComparison.Ordinal);
            if (Other is { } other)
            {
                Assert.DoesNotContain(other.Name, all, StringComparison.Ordinal);
                Assert.DoesNotContain(other._secret, all, StringComparison.Ordinal);
                Assert.DoesNotContain($"{other._id}", all, StringComparison.Ordinal);
                Assert.DoesNotContain(other.Tokens.Keys, t => all.Contains(t, StringComparison.Ordinal));
            }
        }
    }
}
