/**
 * The program: from an argument list to an exit status.
 *
 * oclif finds the command, parses its flags and prints help; this file adds what holds for every command:
 * `-C` before the command's name, errors, interrupts and closed pipes.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { run } from '@oclif/core/run'
import { CodedError } from '../base/error.js'
import { changeDirectory } from './directory.js'
import { endQuietlyOnClosedPipe, jsonIsFree, writeJson } from './output.js'
import { EXIT_INTERRUPTED, formatReport, jsonReport, reportOf } from './report.js'
import { type Commands, loadSettings } from './settings.js'

/** Folder of the bundle that this file is in. */
const BUNDLE = fileURLToPath(new URL('.', import.meta.url))

/**
 * Runs one command and sets `process.exitCode`; it never throws.
 *
 * @param args - Arguments after the program's name.
 */
export async function main(args: readonly string[], commands: Commands): Promise<void> {
  endQuietlyOnClosedPipe()
  // Spares oclif the search for a file of colours for its help at every start.
  process.env['WEFT_DISABLE_THEME'] = '1'
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  // Node ends without a word when all that is left are promises that nothing can settle any more.
  const stuck = (): void => void fail(new Error('The command came to a stop before it was done.'), wantsJson(args))
  process.once('beforeExit', stuck)
  try {
    const { directories, rest } = splitLeading(args)
    directories.forEach(changeDirectory)
    await run(rest, await loadSettings(BUNDLE, commands))
  } catch (error) {
    await fail(error, wantsJson(args))
  } finally {
    process.off('beforeExit', stuck)
  }
}

/** Prints an error and sets the exit status, unless it is oclif's way to say that all is done. */
async function fail(error: unknown, json: boolean): Promise<void> {
  if ((error as { code?: unknown } | undefined)?.code === 'EEXIT') {
    process.exitCode = (error as { oclif: { exit: number } }).oclif.exit
    return
  }
  const report = reportOf(error)
  process.exitCode = report.exit
  if (json && jsonIsFree()) await writeJson(jsonReport(report))
  else process.stderr.write(formatReport(report))
  if (process.env['WEFT_DEBUG'] && error instanceof Error) process.stderr.write(`${debugText(error)}\n`)
}

/** The stack of an error and of all that caused it. */
function debugText(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${debugText(error.cause)}` : ''
  return `${error.stack}${cause}`
}

/**
 * Splits off what stands before the command's name, as git allows: `-C <dir>` (any number of times), `--json` and
 * `--no-pager`. The latter two go behind the command, where oclif expects them.
 */
export function splitLeading(args: readonly string[]): { directories: string[]; rest: string[] } {
  const directories: string[] = []
  const flags: string[] = []
  let at = 0
  for (; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--json' || arg === '--no-pager') flags.push(arg)
    else if (arg.startsWith('-C')) directories.push(arg.slice(2) || directoryAfter(args, at++))
    else break
  }
  const rest = args.slice(at)
  rest.splice(ownEnd(rest), 0, ...(rest.length > 0 ? flags : []))
  return { directories, rest }
}

/** How many of the arguments from the command's name on are certainly weft's: flags can be put behind them. */
function ownEnd(rest: readonly string[]): number {
  // What is behind it is another program's.
  if (rest[0] === 'bisect' && rest[1] === 'run') return 2
  const end = rest.indexOf('--')
  return end < 0 ? rest.length : end
}

function directoryAfter(args: readonly string[], at: number): string {
  const dir = args[at + 1]
  if (dir === undefined) throw new CodedError('USAGE', 'The flag -C expects a directory.')
  return dir
}

/** Whether `--json` was asked for: anywhere before a `--`. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
