/**
 * The heads of a branch: the versions that it stands at, mostly one.
 * @module
 */
import { encodeUtf8, toLatin1 } from '../base/bytes.js'
import type { VersionRef } from '../history/header.js'
import { readRefs } from '../history/refs.js'
import type { EntryStore } from '../lseq/entries.js'

/** The versions at which a branch stands; none where there is no such branch. */
export async function branchHeads(entries: EntryStore, branch: string): Promise<VersionRef[]> {
  const name = toLatin1(encodeUtf8(branch))
  return (await readRefs(entries, 'b')).flatMap(({ name: other, value: { version } }) =>
    other === name && version !== undefined ? [version] : [],
  )
}
