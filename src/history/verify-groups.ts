/**
 * Verification, step 3: every entry belongs to a version, and what a version added gives the root that it signed.
 *
 * Entries of one subject are neighbours, and within a version groups come in name order, which is key order too. So
 * one pass over the entries feeds, per version, an incremental Merkle tree over its groups, side by side with the
 * list of groups that the version's groups entry gives; what is missing or too much shows at the first difference.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { leafDigest, MerkleBuilder } from '../crypto/merkle.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, lseqOfKey } from '../lseq/lseq.js'
import { checkNote, placeFault } from './entry-rules.js'
import type { Findings } from './findings.js'
import { GroupAccounts, placeOf } from './group-accounts.js'
import { decodeGroups } from './groups.js'
import { type Kind, strangeRanges, subjectLength, versionKey } from './keys.js'
import { fileIdIn } from './path-entry.js'
import type { PathWrites } from './verify-contents.js'
import type { CheckedVersion, CheckedVersions } from './verify-versions.js'

/** Kinds of entries that are in groups, in key order. */
const GROUPED: readonly Kind[] = ['B', 'C', 'L', 'N', 'P', 'R']
const DERIVED: readonly Kind[] = ['I', 'X']

/** @param onLines - Given the line entries in passing, since the next step wants them too. */
export async function verifyGroups(
  entries: EntryStore,
  { graph, versions }: Pick<CheckedVersions, 'graph' | 'versions'>,
  writes: PathWrites,
  findings: Findings,
  onLines: (batch: EntryBatch) => Promise<void>,
  progress: (phase: string, done: number, total: number) => void,
): Promise<void> {
  const accounts = new GroupAccounts(versions, findings)
  for await (const batch of findings.scan(entries, 'G')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      findings.entries++
      const { seq, stream } = lseqOfKey(key)
      const number = graph.at(graph.streams.slot(stream), seq)
      if (number === undefined) {
        // Its version may have gone with a page, which has been told.
        if (findings.isLost(versionKey(seq, stream))) continue
        findings.add('entry', `Groups are listed for a version ${formatLseq(seq, stream)} that is not here.`, { key })
        continue
      }
      const version = (versions[number - 1] as CheckedVersion).id
      accounts.list(
        number,
        findings.guard('group', { version, key }, () => decodeGroups(batch.value(i))),
      )
    }
  }

  const open = new OpenGroups((number, name, digest) => {
    accounts.met(number, name, digest)
    if ((name.startsWith('L') || name.startsWith('B')) && !putsFile(writes, number, name)) {
      const version = (versions[number - 1] as CheckedVersion).id
      findings.add('entry', 'The version changes a file that it puts at no path.', { version, key: fromLatin1(name) })
    }
  })
  for (const kind of GROUPED) {
    for await (const batch of findings.scan(entries, kind)) {
      if (kind === 'L') await onLines(batch)
      for (let i = 0; i < batch.count; i++) {
        const key = batch.key(i)
        findings.entries++
        const subject = subjectOf(key, findings)
        if (subject === undefined) continue
        const { seq, stream } = lseqOfKey(key)
        const number = graph.holding(graph.streams.slot(stream), seq)
        if (number === undefined) {
          if (findings.isLost(versionKey(seq, stream))) continue
          findings.add('entry', `No version here took the lseq ${formatLseq(seq, stream)} of this entry.`, {
            ...placeOf(toLatin1(key, 0, subject)),
            key,
          })
          continue
        }
        const value = batch.value(i)
        const hash = crypto.sha256Binary(value)
        if (kind === 'C' && toLatin1(key, 1, subject) !== hash) {
          findings.add('content', 'A chunk is not the content that it is named after.', {
            version: (versions[number - 1] as CheckedVersion).id,
            key,
          })
        }
        const holder = versions[number - 1] as CheckedVersion
        const misplaced = placeFault(key, value, holder)
        if (misplaced !== undefined) findings.add('entry', misplaced, { version: holder.id, key })
        if (kind === 'N') findings.guard('entry', { version: holder.id, key }, () => checkNote(value))
        open.add(key, subject, number, hash)
      }
      progress('entries', findings.entries, 0)
    }
  }
  open.flush()
  // What is derived proves nothing, but a damaged page of it should be known.
  for (const kind of DERIVED) for await (const _ of findings.scan(entries, kind));
  for (const range of strangeRanges()) {
    for await (const batch of findings.scan(entries, range)) {
      findings.entries += batch.count
      for (const { key } of batch) findings.add('entry', 'It is of no kind that this weft knows.', { key })
    }
  }

  accounts.close()
}

/** Whether a version puts the file that a group is of at some path. */
function putsFile({ byVersion }: PathWrites, number: number, name: string): boolean {
  const file = name.slice(1)
  return byVersion[number - 1]?.some(({ value }) => value !== undefined && fileIdIn(value) === file) === true
}

function subjectOf(key: Uint8Array, findings: Findings): number | undefined {
  try {
    return subjectLength(key)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    findings.add('entry', error.message, { key })
    return undefined
  }
}

/** Groups under the subject that is being read, by version. */
class OpenGroups {
  readonly #close: (number: number, name: string, digest: DigestString) => void
  #name = ''
  /** The leaf of a group of one entry, as most are; a Merkle tree from the second entry on. */
  #groups = new Map<number, DigestString | MerkleBuilder>()

  constructor(close: (number: number, name: string, digest: DigestString) => void) {
    this.#close = close
  }

  add(key: Uint8Array, subject: number, number: number, valueHash: DigestString): void {
    const text = toLatin1(key)
    if (this.#name.length !== subject || !text.startsWith(this.#name)) {
      this.flush()
      this.#name = text.slice(0, subject)
    }
    const leaf = leafDigest(text, valueHash)
    const group = this.#groups.get(number)
    if (group === undefined) this.#groups.set(number, leaf)
    else if (typeof group === 'string') this.#groups.set(number, new MerkleBuilder().push(group).push(leaf))
    else group.push(leaf)
  }

  flush(): void {
    for (const [number, group] of this.#groups) {
      this.#close(number, this.#name, typeof group === 'string' ? group : group.root())
    }
    this.#groups.clear()
  }
}
