/**
 * Errors, as the user meets them: one place that turns them into text or JSON and an exit status.
 *
 * No stack trace is shown unless `WEFT_DEBUG` is set.
 * @module
 */
import { type Blame, CodedError } from '../base/error.js'
import { flagHint } from './from-git.js'
import { suggest } from './suggest.js'

/** Exit status per blame. 0 is fine; 70 is EX_SOFTWARE of sysexits.h. */
const EXIT: Record<Blame, number> = { user: 1, usage: 2, data: 3, bug: 70 }

/** Status after an interrupt, as shells report it: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130

/** Status of a command that left conflicts behind, which is not an error but needs somebody. */
export const EXIT_CONFLICTS = EXIT.user

/** Status of a command that found damage and reported it as its answer. */
export const EXIT_DAMAGED = EXIT.data

/** Exit status of a command that did its work but for a part that the user has to decide on. */
export const EXIT_REFUSED = EXIT.user

/** An error in words: for people as `Error: message` and `Hint: hint`, for programs as JSON. */
export interface Report {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly exit: number
}

/** What the operating system refuses, in words; anything else it says is a bug of ours until proven otherwise. */
const SYSTEM: Record<string, readonly [what: string, hint: string]> = {
  EACCES: ['Permission was denied', 'Check who owns the file and what its mode allows.'],
  EDQUOT: ['The disk quota is used up', 'Make room and run the same command again.'],
  EMFILE: ['Too many files are open', 'Raise the limit (ulimit -n) and run the same command again.'],
  ENOSPC: ['The disk is full', 'Make room and run the same command again.'],
  ENOTDIR: ['Something on the way is not a directory', 'Check the path.'],
  EPERM: ['The operation is not permitted', 'Check who owns the file and what its mode allows.'],
  EROFS: ['The file system is read-only', 'Choose a place that can be written to.'],
}

/** Puts any thrown thing into words. */
export function reportOf(error: unknown): Report {
  if (error instanceof CodedError) {
    const { code, hint, data, blame } = error
    return { code, message: unwrapped(error.message), ...(hint && { hint }), ...(data && { data }), exit: EXIT[blame] }
  }
  if (!(error instanceof Error)) return bug(String(error))
  const system = systemReport(error)
  if (system) return system
  // oclif's own errors carry `oclif.exit`: 2 for whatever it could not parse.
  const status = BAD_ARGUMENT.test(error.message)
    ? EXIT.usage
    : (error as { oclif?: { exit?: number | false } }).oclif?.exit
  if (typeof status !== 'number') return bug(error.message)
  const hint = hintOnFlag(error) ?? 'Add --help to see what the command takes.'
  return { code: 'USAGE', message: usageMessage(error.message), hint, exit: status }
}

/** What an oclif error holds of the parse that failed. */
interface FailedParse {
  readonly flags?: readonly string[]
  readonly parse?: { readonly input?: { readonly flags?: object; readonly context?: { readonly id?: string } } }
}

/** What was probably meant, where oclif says that there is no flag of the name. */
function hintOnFlag(error: Error): string | undefined {
  const { flags, parse } = error as FailedParse
  const [typed] = flags ?? []
  if (typed === undefined) return undefined
  const inGit = flagHint(parse?.input?.context?.id ?? '', typed)
  if (inGit !== undefined) return inGit
  const meant = typed.startsWith('--') ? suggest(typed.slice(2), Object.keys(parse?.input?.flags ?? {})) : undefined
  return meant === undefined ? undefined : `Did you mean --${meant}?`
}

/** An error of ours without what oclif puts around it when it is thrown while a flag is parsed. */
function unwrapped(message: string): string {
  return message.replace(/^Parsing --\S+ \n\t(.*)\nSee more help with --help$/s, '$1')
}

/** What oclif says of an argument that is no number, or not a fitting one; it does not mark it as a mistake of the user. */
const BAD_ARGUMENT = /^Expected (an integer.*) but received: (.*)$/

/** What oclif says in lines of notes, as sentences. */
const WORDS: readonly [said: RegExp, words: string][] = [
  [/^The following errors? occurred: /, ''],
  [/Missing required flag (\S+)/g, 'The flag --$1 must be given.'],
  [/^Missing 1 required arg: (\S+) .*$/, 'The argument <$1> must be given.'],
  [/^Nonexistent flag: (\S+)$/, 'There is no flag $1 here.'],
  [/^Unexpected argument: (.*)$/, 'There is one argument too many: $1.'],
  [/^Parsing (--\S+) Expected (.*) but received: (.*)$/, 'The flag $1 expects $2, not $3.'],
  [BAD_ARGUMENT, 'Here $1 is expected, not $2.'],
]

function usageMessage(said: string): string {
  const lines = said.split('\n').map((line) => line.trim())
  const text = lines.filter((line) => line !== '' && line !== 'See more help with --help').join(' ')
  const words = WORDS.reduce((message, [pattern, own]) => message.replace(pattern, own), text.replace(/ +/g, ' '))
  return /[.?!]$/.test(words) ? words : `${words}.`
}

function bug(message: string): Report {
  const hint = 'This is a fault of weft. Run it again with WEFT_DEBUG=1 to see where, and report it.'
  return { code: 'BUG', message, hint, exit: EXIT.bug }
}

/** Words for an error of a system call that is the machine's state and not our fault. */
function systemReport(error: NodeJS.ErrnoException): Report | undefined {
  if (error.syscall === 'uv_cwd') {
    const hint = 'Go to one that is there.'
    return { code: 'DIR_NOT_FOUND', message: 'The working directory is not there any more.', hint, exit: EXIT.user }
  }
  const known = error.code === undefined ? undefined : SYSTEM[error.code]
  if (!known || error.code === undefined) return undefined
  const where = error.path === undefined ? '' : `: ${error.path}`
  return { code: error.code, message: `${known[0]}${where}`, hint: known[1], exit: EXIT.user }
}

/** The report as lines for people, each with its newline. */
export function formatReport({ message, hint }: Report): string {
  return hint === undefined ? `Error: ${message}\n` : `Error: ${message}\nHint: ${hint}\n`
}

/** The report as the one JSON value a program reads. */
export function jsonReport({ code, message, hint, data }: Report): unknown {
  return { error: { code, message, ...(hint && { hint }), ...(data && { data }) } }
}
