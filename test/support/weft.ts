/**
 * Runs the program as a user does: `node bin/run.js`, in a process of its own, with a `WEFT_HOME` of its own.
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { temporary } from './temp.js'

/** The project's root. */
export const ROOT = join(import.meta.dirname, '..', '..')

/** The directory that holds the identity key of everything this test process does. */
export const HOME = temporary('home')

/** Where programs keep compiled code between runs. */
const CACHE = temporary('cache')

/** What whoever runs the tests has set for programs like this one, and must not count in them. */
const UNSET = Object.fromEntries(
  ['EDITOR', 'VISUAL', 'PAGER', 'LESS', 'WEFT_EDITOR', 'WEFT_PAGER', 'WEFT_AUTHOR_NAME', 'WEFT_AUTHOR_EMAIL'].map(
    (name) => [name, undefined],
  ),
)

/** How a process ended, and what it said. */
export interface Outcome {
  /** Exit status, null where a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** What may be told a run beyond its arguments. */
export interface RunOptions {
  /** Working directory. Default: the project's root. */
  readonly cwd?: string
  /** Changes to the environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Numeric user to run as; only root may. */
  readonly uid?: number
  /** Called with the process once it runs, to disturb it. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs `weft <args>` to its end, however that is. */
export async function weft(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'run.js'), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...UNSET, WEFT_HOME: HOME, XDG_CACHE_HOME: CACHE, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => out.push(part))
  child.stderr.on('data', (part: Buffer) => err.push(part))
  options.onStart?.(child)
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { status, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') }
}

/** Runs `weft <args> --json`, which must succeed, and returns what it printed. */
export async function weftJson<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
  const outcome = await weft([...args, '--json'], options)
  assert.equal(
    outcome.status,
    0,
    `weft ${args.join(' ')}: ${outcome.stderr}${outcome.stdout.toString('utf8', 0, 2000)}`,
  )
  return JSON.parse(outcome.stdout.toString('utf8')) as T
}

/** A failed run's error, as `--json` prints it. */
export interface Failure {
  readonly status: number | null
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/**
 * Runs `weft <args> --json`, which must fail as users may see it: an exit status of 1, 2 or 3, an error with a code,
 * and no stack trace.
 */
export async function weftFails(args: readonly string[], options: RunOptions = {}): Promise<Failure> {
  const outcome = await weft([...args, '--json'], options)
  const said = `weft ${args.join(' ')} (status ${outcome.status}): ${outcome.stderr}${outcome.stdout}`
  assert.ok([1, 2, 3].includes(outcome.status ?? -1), `expected a plain failure of ${said}`)
  assert.doesNotMatch(said, /\n\s+at .*[.][jt]s:\d+/, `a stack trace from ${said}`)
  const { error } = JSON.parse(outcome.stdout.toString('utf8')) as { error: Omit<Failure, 'status'> }
  assert.match(error.code, /^[A-Z][A-Z0-9_]+$/, said)
  assert.ok(error.message.length > 0, said)
  return { status: outcome.status, ...error }
}
