using Berth.Studio.Hosting;

namespace Berth.Studio.Files;

/// <summary>The problems of files, in words; those of the operating system by its error numbers (Linux).</summary>
internal static class FileProblems
{
    /// <summary>What a failed change leaves behind: nothing.</summary>
    private const string Unchanged = "No file was changed.";

    public static ProblemException BadPath(string parameter, string problem) =>
        new(
            400,
            "bad-path",
            $"The path in '{parameter}' cannot be used: {problem}.",
            Unchanged,
            "Give names joined by single slashes, relative to the workspace."
        );

    public static ProblemException BadRequest(string what, string remedy) => new(400, "bad-request", what, Unchanged, remedy);

    public static ProblemException Outside(WorkspacePath path) =>
        new(
            403,
            "outside",
            $"{path} leads out of the workspace by a symbolic link.",
            "Nothing was read or changed.",
            "Use the terminal for files outside of the workspace, or replace the link."
        );

    public static ProblemException NotFound(WorkspacePath path) =>
        new(404, "not-found", $"{path} does not exist.", Unchanged, "It may have been renamed or deleted meanwhile; refresh the list.");

    public static ProblemException Exists(WorkspacePath path) =>
        new(409, "exists", $"{path} exists already.", "It was left as it is.", "Choose another name, or say that it is to be replaced.");

    public static ProblemException NotAFile(WorkspacePath path) =>
        new(
            409,
            "not-a-file",
            $"{path} is not a regular file.",
            Unchanged,
            "Only regular files can be read and written here; use the terminal for others."
        );

    public static ProblemException IsRoot() =>
        new(
            400,
            "is-root",
            "This is the workspace itself.",
            Unchanged,
            "It cannot be renamed, replaced or deleted; name something inside of it."
        );

    public static ProblemException NotEmpty(WorkspacePath path) =>
        new(
            409,
            "not-empty",
            $"The folder {path} is not empty.",
            "Nothing was deleted.",
            "Say recursive=true to delete it with everything in it."
        );

    public static ProblemException PreconditionRequired(WorkspacePath path) =>
        new(
            428,
            "precondition-required",
            $"It was not said which version of {path} is to be replaced.",
            Unchanged,
            "Send If-Match with the ETag that was read, or If-None-Match: * to create a new file."
        );

    public static ProblemException Changed(WorkspacePath path) =>
        new(
            412,
            "changed",
            $"{path} was changed by somebody else after it was opened.",
            "The file on the disk is the other version; this one was not saved.",
            "Compare the two: load the file again, or save this version under another name, or replace the other version knowingly."
        );

    public static ProblemException Gone(WorkspacePath path) =>
        new(412, "gone", $"{path} does not exist any more.", "This version was not saved.", "Save it as a new file if it is still wanted.");

    /// <summary>The problem that an error number of the system means for that path.</summary>
    public static ProblemException FromErrno(int errno, WorkspacePath path) =>
        errno switch
        {
            Libc.ENoent => NotFound(path),
            Libc.EExist => Exists(path),
            Libc.ENotempty => NotEmpty(path),
            Libc.ENotdir => new(409, "not-a-folder", $"{path}, or something above it, is not a folder.", Unchanged, "Refresh the list."),
            Libc.EIsdir => new(409, "is-a-folder", $"{path} is a folder.", Unchanged, "Name a file."),
            Libc.EAcces or Libc.EPerm => new(
                403,
                "denied",
                $"The file system does not allow this for {path}.",
                Unchanged,
                "Check owner and mode in the terminal (ls -l, chmod)."
            ),
            Libc.ERofs => new(403, "read-only-volume", "The volume is read-only.", Unchanged, "Tell the people who run the platform."),
            Libc.ENospc or Libc.EDquot => new(
                507,
                "volume-full",
                "The volume is full.",
                "What was there is unchanged; the new content was not saved.",
                "Delete what is not needed (du -sh * in the terminal shows sizes), then try again. Keep the editor's tab open until then."
            ),
            Libc.EFbig => new(413, "too-large", $"{path} would be larger than the file system allows.", Unchanged, "Split it."),
            Libc.ENametoolong => new(
                400,
                "name-too-long",
                $"The name of {path} is too long for the file system.",
                Unchanged,
                "Shorten it."
            ),
            Libc.ELoop => new(409, "link-loop", $"{path} goes through too many symbolic links.", Unchanged, "Check the links with ls -l."),
            Libc.EXdev => new(
                409,
                "other-volume",
                $"{path} would move to another volume.",
                Unchanged,
                "Use mv in the terminal, which copies and deletes."
            ),
            Libc.EBusy or Libc.ETxtbsy => new(
                409,
                "busy",
                $"{path} is in use by the system.",
                Unchanged,
                "Stop what uses it and try again."
            ),
            Libc.EInval => new(
                400,
                "invalid",
                $"The file system refuses this for {path}.",
                Unchanged,
                "A name may hold a character that it does not take."
            ),
            _ => new(
                500,
                "io",
                $"The file system failed for {path} (error {errno}).",
                "A file that was being saved is as it was before.",
                "Try again; if it stays, tell the people who run the platform."
            ),
        };
}
