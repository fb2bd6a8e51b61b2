using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Architecture.Tests;

/// <summary>Calls that the house rules forbid, looked for in the compiled code, where neither an alias nor a using can hide them.</summary>
public sealed class BannedSymbolTests
{
    private static readonly Dictionary<string, string> Banned = new()
    {
        ["System.DateTime.get_Now"] = "TimeProvider",
        ["System.DateTime.get_UtcNow"] = "TimeProvider",
        ["System.DateTime.get_Today"] = "TimeProvider",
        ["System.DateTimeOffset.get_Now"] = "TimeProvider",
        ["System.DateTimeOffset.get_UtcNow"] = "TimeProvider",
        ["System.Threading.Thread.Sleep"] = "await Task.Delay with a TimeProvider",
        ["System.Threading.Tasks.Task.Wait"] = "await",
        ["System.Threading.Tasks.Task`1.get_Result"] = "await",
        ["System.Threading.Tasks.Task.Delay"] = "the overload with a TimeProvider",
    };

    // Task.Delay(TimeSpan, TimeProvider[, CancellationToken]) is the form to use: told from the others by its parameters.
    public static TheoryData<string> Projects() => [.. Repository.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Assembly_CallsNothingBanned(string project)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, project + ".dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var names = new TypeNames(metadata);

        var found = metadata
            .MemberReferences.Select(metadata.GetMemberReference)
            .Where(m => m.GetKind() == MemberReferenceKind.Method)
            .Select(m =>
                (
                    Name: $"{names.Of(m.Parent)}.{metadata.GetString(m.Name)}",
                    Parameters: m.DecodeMethodSignature(names, null).ParameterTypes
                )
            )
            .Where(m =>
                Banned.ContainsKey(m.Name)
                && !(m.Name.EndsWith("Task.Delay", StringComparison.Ordinal) && m.Parameters.Contains("System.TimeProvider"))
            )
            .Select(m => $"{m.Name}({string.Join(", ", m.Parameters)}): use {Banned[m.Name]}");

        Assert.Empty(found);
    }

    private sealed class TypeNames(MetadataReader metadata) : ISignatureTypeProvider<string, object?>
    {
        public string Of(EntityHandle handle) =>
            handle.Kind switch
            {
                HandleKind.TypeReference => GetTypeFromReference(metadata, (TypeReferenceHandle)handle, 0),
                HandleKind.TypeSpecification => metadata
                    .GetTypeSpecification((TypeSpecificationHandle)handle)
                    .DecodeSignature(this, null)
                    .Split('<')[0],
                _ => "",
            };

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
        }

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            reader.GetString(reader.GetTypeDefinition(handle).Name);

        public string GetTypeFromSpecification(
            MetadataReader reader,
            object? genericContext,
            TypeSpecificationHandle handle,
            byte rawTypeKind
        ) => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) =>
            $"{genericType}<{string.Join(",", typeArguments)}>";

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[]";

        public string GetByReferenceType(string elementType) => elementType;

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetPinnedType(string elementType) => elementType;

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetFunctionPointerType(MethodSignature<string> signature) => "fnptr";

        public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";

        public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";
    }
}
