using Berth.Local.Kubernetes;

namespace Berth.Local.Tests.Kubernetes;

public sealed class ImageCatalogueTests
{
    [Fact]
    public void Write_NoFileYet_NamesStudioAtTheTopLevel()
    {
        var text = ImageCatalogue.Write(null, "/opt/berth/Berth.Studio.dll", "/opt/berth/Berth.Operator.dll", "/usr/bin/dotnet");

        Assert.Contains(
            "\nberth-studio:dev:\n  command: [\"/usr/bin/dotnet\", \"/opt/berth/Berth.Studio.dll\"]\n",
            text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Write_SecondTime_KeepsWhatAPersonAddedAndMovesStudio()
    {
        const string own = "my-app:dev:\n  command: [python3]\n";
        var first = ImageCatalogue.Write(null, "/old/Berth.Studio.dll", "/old/Berth.Operator.dll", "dotnet") + own;

        var second = ImageCatalogue.Write(first, "/new/Berth.Studio.dll", "/new/Berth.Operator.dll", "dotnet");

        Assert.EndsWith(own, second, StringComparison.Ordinal);
        Assert.DoesNotContain("/old/", second, StringComparison.Ordinal);
        Assert.Equal(second, ImageCatalogue.Write(second, "/new/Berth.Studio.dll", "/new/Berth.Operator.dll", "dotnet"));
    }

    [Fact]
    public void CanBeKept_LineOfOwnImagesMissing_IsFalse()
    {
        Assert.False(ImageCatalogue.CanBeKept("my-app:dev:\n  command: [python3]\n"));
        Assert.True(ImageCatalogue.CanBeKept(ImageCatalogue.Write(null, "/x/Berth.Studio.dll", "Berth.Operator.dll", "dotnet")));
        Assert.True(ImageCatalogue.CanBeKept(null));
    }

    [Fact]
    public void Write_FolderWithQuoteAndBackslash_IsQuoted()
    {
        var text = ImageCatalogue.Write(null, "/a \"b\\c/Berth.Studio.dll", "Berth.Operator.dll", "dotnet");

        Assert.Contains("\"/a \\\"b\\\\c/Berth.Studio.dll\"", text, StringComparison.Ordinal);
    }
}
