/**
 * Which commits git export made of versions that were not made from commits.
 *
 * The header of an imported version names its commit. One that was born here cannot, because the commit is made of it: so
 * the export notes the whole id in the index of git ids, where imports find the parents of what was committed on top. The
 * note is derived: without it, an export makes the same commit again. It is believed by nobody: a commit found so is put
 * together from the version before anything is built on it (base.ts, rebuild.ts).
 * @module
 */
import { equalBytes, toLatin1 } from '../base/bytes.js'
import { idKey } from '../history/derived.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import type { Version } from '../history/header.js'
import { prefixRange } from '../history/keys.js'
import type { Versions } from '../history/versions.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { type Lseq, lseqOfKey } from '../lseq/lseq.js'

/** Index entries of git ids begin so. */
const PREFIX = Uint8Array.from(Buffer.from('Ig', 'latin1'))

/** A version and the commit that was made of it. */
export interface Exported {
  readonly lseq: Lseq
  /** Id of the commit, a binary string. */
  readonly commit: string
}

/** All versions that are noted as exported. */
export async function* exportedCommits(entries: EntryStore): AsyncGenerator<Exported> {
  for await (const batch of entries.scan(prefixRange(PREFIX))) {
    for (let i = 0; i < batch.count; i++) {
      const commit = toLatin1(batch.value(i))
      if (commit !== '') yield { lseq: lseqOfKey(batch.key(i)), commit }
    }
  }
}

/** The entry that notes an export. */
export function exportedEntry(commit: Uint8Array, { seq, stream }: Lseq): Entry {
  return { key: idKey('g', commit, seq, stream), value: commit }
}

/** The version that was made from a commit, or that a commit was made of. */
export async function versionOfCommit(versions: Versions, commit: Uint8Array): Promise<Version | undefined> {
  const [found] = await versions.withId('g', commit, (version, exported) =>
    equalBytes(extraOf(version, GIT_EXTRA) ?? exported, commit),
  )
  return found
}
