/**
 * Waiting for news, from a peer or from this repository, without holding either open.
 * @module
 */
import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Tips } from '../history/published.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import type { Peer } from './exchange.js'
import { Hearing } from './hearing.js'

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
  try {
    using hearing = await Hearing.begin(peer, { goal: 'listen', repository, tips }, signal)
    return !tips.includes(hearing.hello.tips)
  } catch (error) {
    if (signal.aborted) return false
    throw error
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
