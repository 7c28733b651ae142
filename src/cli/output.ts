/**
 * Writing to stdout: text, bytes, one JSON value, or a stream of values of any length in bounded memory.
 *
 * A reader that goes away (`weft log | head`) ends the program quietly with status 0. Where a pager was asked for, it is
 * started with the first text that is written, and everything goes through it.
 * @module
 */
import { once } from 'node:events'
import type { Pager } from './pager.js'

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

/** Starts the pager once there is something to show. */
let startPager: (() => Promise<Pager | undefined>) | undefined

/** The pager, once it runs. */
let pager: Pager | undefined

/** From now on, what is written goes through the pager that `start` gives, if it gives one. */
export function pageWith(start: () => Promise<Pager | undefined>): void {
  startPager = start
}

/** Waits until the user has left the pager, where there is one. */
export async function leavePager(): Promise<void> {
  startPager = undefined
  const left = pager
  pager = undefined
  await left?.finish()
}

/** Writes text or bytes as they are, waiting where the reader is slow. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (data.length === 0) return
  if (startPager !== undefined) {
    const start = startPager
    startPager = undefined
    pager = await start()
  }
  if (pager !== undefined) await pager.write(data)
  else if (!process.stdout.write(data)) await once(process.stdout, 'drain')
}

/** Writes one value as JSON and a newline: indented for a terminal, else on one line. */
export async function writeJson(value: unknown): Promise<void> {
  await writeAsJson(`${JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0)}\n`)
}

/** Writes a part of a JSON answer. */
async function writeAsJson(text: string | Uint8Array): Promise<void> {
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

/** Writes `format(value)` for every value, text or bytes, in chunks. A failure of `values` before the first chunk leaves stdout empty. */
export async function writeAll<T>(
  values: AsyncIterable<T> | Iterable<T>,
  format: (value: T) => string | Uint8Array,
  out: (data: string | Uint8Array) => Promise<void> = write,
): Promise<void> {
  let text = ''
  for await (const value of values) {
    const data = format(value)
    if (typeof data === 'string') {
      text += data
      if (text.length < CHUNK) continue
    }
    if (text !== '') await out(text)
    text = ''
    if (typeof data !== 'string') await out(data)
  }
  if (text !== '') await out(text)
}
