/**
 * What versions are called: branches and tags by the version they name.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import { readRefs } from '../history/refs.js'
import type { EntryStore } from '../lseq/entries.js'
import { textOf } from './describe.js'

/** Branches, then tags, in the order of their names, by the id of the version. Snapshots name vectors, not versions. */
export async function namesByVersion(entries: EntryStore): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>()
  for (const { name, value } of await readRefs(entries)) {
    if (value.version === undefined) continue
    const id = toHex(value.version.id)
    names.set(id, [...(names.get(id) ?? []), textOf(fromLatin1(name))])
  }
  return names
}

/** Names shown where one is not found. */
const SHOWN = 8

/** Of the names there are those most like the one that was typed, for a hint. */
export function someNames(typed: string, names: readonly string[]): string {
  const near = names.filter((name) => name.includes(typed) || typed.includes(name))
  const shown = near.length > 0 ? near : names
  return shown.slice(0, SHOWN).join(', ') + (shown.length > SHOWN ? `, and ${shown.length - SHOWN} more` : '')
}
