/**
 * Waiting for news, from a peer or from this repository, without holding either open.
 * @module
 */
import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Tips } from '../history/published.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { readHello } from './ask.js'
import type { Peer } from './exchange.js'
import { FrameReader, writeFrame } from './frames.js'
import { encodeDone, encodeHello, FRAME, PROTOCOL } from './messages.js'

/**
 * Waits until a peer has something that `tips` does not cover.
 *
 * @returns False where it had nothing new after a while, or `signal` ended the waiting.
 * @throws {CodedError} As an exchange.
 */
export async function listen(peer: Peer, repository: Uint8Array, tips: Tips, signal: AbortSignal): Promise<boolean> {
  if (peer.changed !== undefined) {
    await peer.changed(signal)
    return !signal.aborted
  }
  const call = await peer.call()
  const stop = (): void => call.close()
  signal.addEventListener('abort', stop)
  const reader = new FrameReader(call.read)
  try {
    const hello = {
      protocol: PROTOCOL,
      repository,
      replica: undefined,
      branch: undefined,
      capabilities: [],
      goal: 'listen' as const,
      tips,
      after: undefined,
      wanted: [],
    }
    await writeFrame(call, FRAME.hello, encodeHello(hello))
    await writeFrame(call, FRAME.done, encodeDone({ tips, refused: [], waiting: 0 }))
    await call.end()
    return !tips.includes((await readHello(reader, repository)).tips)
  } catch (error) {
    if (signal.aborted) return false
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    call.close()
  }
}

/** Files of a repository that change when a command has changed something. */
const TELLING = new Set(['head', 'heads', 'operations'])

/** Settles when a command may have changed something in the repository at `root`, or `signal` ends the waiting. */
export function repositoryChanged(root: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const directory = join(root, WEFT_DIRECTORY)
    const watchers = [watch(directory, (_, name) => name !== null && TELLING.has(name) && done())]
    const operations = join(directory, 'operations')
    if (existsSync(operations)) watchers.push(watch(operations, () => done()))
    const done = (): void => {
      signal.removeEventListener('abort', done)
      for (const watcher of watchers) watcher.close()
      resolve()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
