/**
 * The pager: a program that shows long output a screen at a time.
 *
 * It is `$WEFT_PAGER`, else `$PAGER`, as a shell command, else `less -FRX`: colours are kept, and what fits on the screen
 * stays there. An empty name, and `cat`, mean none. Leaving the pager ends weft quietly.
 *
 * The command writes ahead of the reader, so that it is soon done and gives the repository free for others, while the
 * reader reads on. Only so much is held in memory; then it waits.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Bytes that may wait for the reader. */
const AHEAD = 64 * 1024 * 1024

/** A pager that runs. */
export interface Pager {
  write(data: string | Uint8Array): Promise<void>
  /** Tells it that there is no more, and waits until the user leaves it. */
  finish(): Promise<void>
}

/** What to start: a program with its arguments, or a command line for the shell. */
export type PagerCommand = { readonly shell: string } | { readonly program: string; readonly args: readonly string[] }

const LESS: PagerCommand = { program: 'less', args: ['-FRX'] }

/** The pager of an environment; undefined where there should be none. */
export function pagerCommand(env: NodeJS.ProcessEnv = process.env): PagerCommand | undefined {
  if (env['TERM'] === 'dumb') return undefined
  const wanted = env['WEFT_PAGER'] ?? env['PAGER']
  if (wanted === undefined) return LESS
  const command = wanted.trim()
  return command === '' || command === 'cat' ? undefined : { shell: command }
}

/**
 * Starts a pager on the terminal that stdout is.
 *
 * @returns undefined where the program is not there: then the output is best written as it is.
 */
export async function openPager(command: PagerCommand): Promise<Pager | undefined> {
  const options = { stdio: ['pipe', 'inherit', 'inherit'] as ['pipe', 'inherit', 'inherit'] }
  // What git tells a less that nobody has told anything, and other pagers do not mind.
  const env = { LESS: 'FRX', LV: '-c', ...process.env }
  const child =
    'shell' in command
      ? spawn(command.shell, { ...options, env, shell: true })
      : spawn(command.program, command.args, { ...options, env })
  try {
    await once(child, 'spawn')
  } catch {
    // Whatever is wrong with it, the text matters more.
    return undefined
  }
  return new PagerProcess(child, child.stdin)
}

/** What a shell says of a program that it cannot run, or does not find. */
const NOT_RUN = [126, 127]

class PagerProcess implements Pager {
  readonly #input: Writable
  readonly #left: Promise<void>
  #finished = false

  constructor(child: ChildProcess, input: Writable) {
    this.#input = input
    this.#left = once(child, 'exit').then(([status]) => this.#afterwards(status as number | null))
    // A reader who has seen enough closes the pipe: nothing more is wanted, and `#afterwards` ends the program.
    input.on('error', () => undefined)
    // Ctrl-C reaches both, being of one terminal, and is the pager's: there it stops a search.
    process.removeAllListeners('SIGINT')
    process.on('SIGINT', () => undefined)
  }

  async write(data: string | Uint8Array): Promise<void> {
    this.#input.write(data)
    if (this.#input.writableLength >= AHEAD) await Promise.race([once(this.#input, 'drain'), this.#left])
  }

  async finish(): Promise<void> {
    this.#finished = true
    this.#input.end()
    await this.#left
  }

  /** Ends the program when the pager is gone before all was told. */
  #afterwards(status: number | null): void {
    if (status !== null && NOT_RUN.includes(status)) {
      process.stderr.write(
        'Hint: The pager cannot be started. WEFT_PAGER names another one, --no-pager does without.\n',
      )
    }
    if (!this.#finished) process.exit(0)
  }
}
