/**
 * What peers had when they were last spoken to: a hint, by which the next exchange may begin with what is new.
 *
 *     `m` | `peer ` | url   ->   tips (history/published.ts)
 * @module
 */
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { decodeTips, encodeTips, type Tips } from '../history/published.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Operation } from '../lseq/store.js'
import { exclusively, type SyncContext } from './context.js'

function rememberedKey(url: string): Uint8Array {
  return encodeUtf8(`mpeer ${url}`)
}

/** What a peer had when it was last spoken to; undefined where it never was. */
export async function rememberedTips({ store }: Pick<EntryStore, 'store'>, url: string): Promise<Tips | undefined> {
  const value = await store.get(rememberedKey(url))
  try {
    return value === undefined ? undefined : decodeTips(value)
  } catch (error) {
    // A hint that makes no sense is none.
    if (error instanceof CodedError) return undefined
    throw error
  }
}

/** The write that remembers what a peer has. */
export function rememberOperation(url: string, tips: Tips): Operation {
  return { type: 'put', key: rememberedKey(url), value: encodeTips(tips) }
}

/** Remembers what a peer has. */
export async function rememberTips(context: SyncContext, url: string, tips: Tips): Promise<void> {
  await exclusively(context, () => context.entries.store.batch([rememberOperation(url, tips)]))
}
