/**
 * Arguments and flags that several commands take.
 *
 * Every argument ignores stdin: oclif would else wait for a pipe whenever an argument is missing.
 * @module
 */
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'

/** What `V` may be, for the help of every command that takes one. */
export const VERSION_HELP = `A version is named by its id or the first digits of it, by a branch, tag or snapshot, by a git commit id or the first digits of it, by a time (2024-03-01T12:00:00Z: the newest version that is not younger), or by a version vector (stream:seq,stream:seq). Behind any of them ~ or ^ means its first parent, ~3 three steps back, ^2 the second parent.`

/** An optional argument. */
export const optional = (description: string) => Args.string({ description, ignoreStdin: true })

/** An argument that must be given. */
export const required = (description: string) => Args.string({ description, ignoreStdin: true, required: true })

/** Any number of arguments, none included. */
export const several = (description: string) => Args.string({ description, ignoreStdin: true, multiple: true })

/** `--at V`: which version to look at. */
export const at = Flags.string({ helpValue: '<version>', summary: 'Look at this version, not at the current branch' })

/** `--to <dir>`: where to write. */
export const to = Flags.string({
  helpValue: '<dir>',
  required: true,
  summary: 'Write into this directory, which must be new or empty',
})
