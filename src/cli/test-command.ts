/**
 * Commands of the user's that test a version: how they are told from weft's own arguments, run, and understood.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CodedError } from '../base/error.js'

/** Flags before the command that take a value. */
const WITH_VALUE = new Set(['-C', '--directory'])

/** Splits weft's own flags from a command behind them; a `--` in between is dropped. */
export function splitCommand(argv: readonly string[]): { own: string[]; command: string[] } {
  let at = 0
  for (; at < argv.length; at++) {
    const arg = argv[at] ?? ''
    if (arg === '--' || !arg.startsWith('-')) break
    if (WITH_VALUE.has(arg)) at++
  }
  return { own: argv.slice(0, at), command: argv.slice(argv[at] === '--' ? at + 1 : at) }
}

/**
 * Runs a command and returns its exit status. What it prints goes to standard error where standard output is no terminal.
 *
 * @throws {CodedError} `BISECT_STOPPED` where it cannot be started, or is ended by a signal.
 */
export async function runTest(command: readonly string[], cwd: string): Promise<number> {
  const [program = '', ...args] = command
  const output = process.stdout.isTTY ? 'inherit' : process.stderr
  const child = spawn(program, args, { cwd, stdio: ['inherit', output, 'inherit'] })
  let ended: [number | null, string | null]
  try {
    ended = (await once(child, 'close')) as typeof ended
  } catch (cause) {
    throw stopped(command, 'cannot be started', cause)
  }
  const [status, signal] = ended
  if (status !== null) return status
  throw stopped(command, `was ended by ${signal}`)
}

/** What an exit status says of a version. @throws {CodedError} `BISECT_STOPPED` from 128 on. */
export function markOfStatus(command: readonly string[], status: number): 'good' | 'bad' | 'skip' {
  if (status >= 128) throw stopped(command, `ended with status ${status}`)
  return status === 0 ? 'good' : status === 125 ? 'skip' : 'bad'
}

function stopped(command: readonly string[], how: string, cause?: unknown): CodedError {
  return new CodedError('BISECT_STOPPED', `The command ${command.join(' ')} ${how}.`, {
    hint: 'The work tree stands on the version that was to be tested. Say yourself what it is, or run another command.',
    cause,
  })
}
