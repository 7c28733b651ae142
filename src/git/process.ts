/**
 * git as a child process: plumbing commands, their output streamed, their failures coded.
 *
 * This is the only file that starts git. Every call runs with the user's and the system's configuration left out, with
 * replacement refs off and in the C locale, so that the same repository gives the same answers everywhere.
 * @module
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { CodedError } from '../base/error.js'

/** How much of git's complaint is kept for an error message. */
const STDERR_LIMIT = 4096

/** A running git command. */
export interface GitProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  /** Waits for the end; throws `GIT_FAILED` with what git said unless it ended with status 0. */
  finished(): Promise<void>
  /** Ends the process without waiting for what it still has to say. */
  kill(): void
}

/**
 * Starts `git <args>` on the repository at `gitDir` (undefined for commands that need none).
 *
 * @param workTree - Its work tree, for commands that need one.
 */
export function startGit(gitDir: string | undefined, args: readonly string[], workTree?: string): GitProcess {
  const where = [
    ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]),
    ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
  ]
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    'git',
    [...where, '-c', 'core.quotePath=false', '-c', 'core.deltaBaseCacheLimit=256m', ...args],
    {
      // Some commands want to be in the work tree, and none minds.
      ...(workTree === undefined ? {} : { cwd: workTree }),
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...gitlessEnvironment(),
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_NO_REPLACE_OBJECTS: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_OPTIONAL_LOCKS: '0',
      },
    },
  )
  let complaint = ''
  let killed = false
  let failure: Error | undefined
  child.stderr.on('data', (text: Buffer) => {
    if (complaint.length < STDERR_LIMIT) complaint += text.toString('utf8')
  })
  child.on('error', (error) => {
    failure = error
  })
  child.stdin.on('error', () => {
    // git ended before it had read all: `finished` says why.
  })
  const ended = once(child, 'close').catch(() => undefined)
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    async finished() {
      await ended
      if (failure !== undefined) throw missingGit(failure)
      if (killed || child.exitCode === 0) return
      throw new CodedError(
        'GIT_FAILED',
        `git ${args[0]} failed: ${lastLine(complaint) || `status ${child.exitCode}`}`,
        {
          hint: 'Check the source with `git fsck --full`; nothing of this run was kept that is not whole.',
          data: { status: child.exitCode, stderr: complaint },
        },
      )
    },
    kill() {
      killed = true
      child.kill('SIGKILL')
      // What it printed and nobody read would keep 'close' from ever coming, and the program would just end.
      child.stdout.destroy()
    },
  }
}

/** Runs git to its end and returns all it printed: for answers that are small. */
export async function runGit(
  gitDir: string | undefined,
  args: readonly string[],
  input?: string | Buffer,
  workTree?: string,
): Promise<Buffer> {
  const git = startGit(gitDir, args, workTree)
  git.stdin.end(input)
  const parts: Buffer[] = []
  for await (const part of git.stdout) parts.push(part as Buffer)
  await git.finished()
  return Buffer.concat(parts)
}

/** The environment without the variables by which a surrounding git command would redirect ours. */
function gitlessEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
}

function missingGit(cause: Error): CodedError {
  return new CodedError('GIT_MISSING', 'git could not be started.', {
    hint: 'Importing reads the source through git: install git and make sure it is on the PATH.',
    cause,
  })
}

/** git's last words say what was wrong; what comes before is context. */
function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
