/**
 * Writing to stdout: text, bytes, one JSON value, or a stream of values of any length in bounded memory.
 *
 * A reader that goes away (`weft log | head`) ends the program quietly with status 0.
 * @module
 */
import { once } from 'node:events'

/** Characters gathered before they are written: few system calls, little memory. */
const CHUNK = 1 << 16

/** Whether part of a JSON answer is on stdout already, so that no second JSON value may follow. */
let jsonBegun = false

/** @returns Whether an error can still be reported as the one JSON value on stdout. */
export function jsonIsFree(): boolean {
  return !jsonBegun
}

/** From now on a closed stdout ends the process with status 0; a closed stderr is ignored. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') process.exit(0)
    throw error
  })
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** Writes text or bytes as they are, waiting where the reader is slow. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (data.length > 0 && !process.stdout.write(data)) await once(process.stdout, 'drain')
}

/** Writes one value as JSON and a newline: indented for a terminal, else on one line. */
export async function writeJson(value: unknown): Promise<void> {
  await writeAsJson(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0)}\n`)
}

/** Writes a part of a JSON answer. */
async function writeAsJson(text: string): Promise<void> {
  jsonBegun = true
  await write(text)
}

/** Writes every value as one element of a JSON array, each on a line of its own. */
export async function writeJsonArray(values: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  let first = true
  const element = (value: unknown): string => {
    const text = `${first ? '[' : ','}\n${JSON.stringify(value)}`
    first = false
    return text
  }
  await writeAll(values, element, writeAsJson)
  await writeAsJson(first ? '[]\n' : '\n]\n')
}

/** Writes `format(value)` for every value, in chunks. A failure of `values` before the first chunk leaves stdout empty. */
export async function writeAll<T>(
  values: AsyncIterable<T> | Iterable<T>,
  format: (value: T) => string,
  out: (text: string) => Promise<void> = write,
): Promise<void> {
  let text = ''
  for await (const value of values) {
    text += format(value)
    if (text.length < CHUNK) continue
    await out(text)
    text = ''
  }
  if (text !== '') await out(text)
}
