namespace Kube.Server.Tests.Http;

/// <summary>Definitions for tests.</summary>
internal static class Crds
{
    public const string Path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    /// <summary>A namespaced kind with status, enum, default, minimum and a transition rule.</summary>
    public static string Wheel(string plural = "wheels") => """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"PLURAL.example.com"},
         "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"PLURAL","kind":"Wheel"},
          "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object",
           "properties":{
            "spec":{"type":"object","required":["size"],"properties":{
                "size":{"type":"integer","minimum":0},"colour":{"type":"string","enum":["red","blue"],"default":"blue"}},
              "x-kubernetes-validations":[{"rule":"self.size >= oldSelf.size","message":"must not shrink"}]},
            "status":{"type":"object","properties":{"x":{"type":"string"}}}}}}}]}}
        """.Replace("PLURAL", plural, StringComparison.Ordinal);

    /// <summary>Two served versions and one that is not; v2 is stored, and each has a default of its own.</summary>
    public const string Gears = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"gears.example.com"},
         "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"gears","kind":"Gear"},
          "versions":[
           {"name":"v1","served":true,"storage":false,"deprecated":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{
             "spec":{"type":"object","properties":{"teeth":{"type":"integer"},"old":{"type":"string","default":"o"}}}}}}},
           {"name":"v2","served":true,"storage":true,"subresources":{"scale":{"specReplicasPath":".spec.replicas",
            "statusReplicasPath":".status.replicas"}},
            "schema":{"openAPIV3Schema":{"type":"object","properties":{"status":{"type":"object",
             "properties":{"replicas":{"type":"integer"}}},
             "spec":{"type":"object","properties":{"teeth":{"type":"integer"},"replicas":{"type":"integer"},"new":{"type":"string",
              "default":"n"}}}}}}},
           {"name":"v3","served":false,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
        """;
}
