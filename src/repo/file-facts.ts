/**
 * Files over all of history: where they were last, and whether they are gone. One pass over the path entries.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { kindRange } from '../history/keys.js'
import { decodePathEntry, fileIdOffset } from '../history/path-entry.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey, parseLseq, readSeq } from '../lseq/lseq.js'
import type { ChosenPaths } from './chosen-paths.js'

/** A file, as its path entries tell of it. */
export interface FileFacts {
  /** Where it was last put, a binary string. */
  readonly path: string
  readonly put: Lseq
  /** The last deletion from any path; in a rename it is by the version that also put the file. */
  readonly deleted: Lseq | undefined
}

/**
 * What became of some files.
 *
 * @param files - Their ids as text.
 */
export async function factsOf(entries: EntryStore, files: ReadonlySet<string>): Promise<Map<string, FileFacts>> {
  const facts = new Map<string, FileFacts>()
  // The seqs alone pass over nearly all other files' entries, before anything is made of them.
  const seqs = new Set([...files].map((file) => parseLseq(file)?.seq))
  for await (const batch of entries.scan(kindRange('P'))) {
    for (let i = 0; i < batch.count; i++) {
      const at = fileIdOffset(batch.values, batch.valueStarts[i] as number)
      if (at >= 0 && !seqs.has(readSeq(batch.values, at))) continue
      const entry = decodePathEntry(batch.value(i))
      const { seq, stream } = 'file' in entry ? entry.file : entry.deleted
      const file = formatLseq(seq, stream)
      if (files.has(file)) facts.set(file, latest(facts.get(file), pathAt(batch, i), lseqAt(batch, i), 'file' in entry))
    }
  }
  return facts
}

function latest(known: FileFacts | undefined, path: string, lseq: Lseq, put: boolean): FileFacts {
  const facts = known ?? { path, put: { seq: 0, stream: 0 }, deleted: undefined }
  if (put) return compareLseq(lseq, facts.put) > 0 ? { ...facts, path, put: lseq } : facts
  return facts.deleted === undefined || compareLseq(lseq, facts.deleted) > 0 ? { ...facts, deleted: lseq } : facts
}

/**
 * Ids, as text, of the files that were at any of the chosen paths at any time.
 *
 * @throws {CodedError} `PATH_UNKNOWN` for paths at which there never was anything.
 */
export async function filesEverAt(entries: EntryStore, chosen: ChosenPaths): Promise<Set<string>> {
  const files = new Set<string>()
  for await (const batch of entries.scan(kindRange('P'))) {
    for (let i = 0; i < batch.count; i++) {
      if (!chosen.includes(pathAt(batch, i))) continue
      const entry = decodePathEntry(batch.value(i))
      const { seq, stream } = 'file' in entry ? entry.file : entry.deleted
      files.add(formatLseq(seq, stream))
    }
  }
  chosen.assertFound('in any version')
  return files
}

function pathAt(batch: EntryBatch, i: number): string {
  return toLatin1(batch.keys, (batch.keyStarts[i] as number) + 1, (batch.keyEnds[i] as number) - LSEQ_BYTES - 1)
}

function lseqAt(batch: EntryBatch, i: number): Lseq {
  return lseqOfKey(batch.key(i))
}
