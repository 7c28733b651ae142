/**
 * Verification: everything recomputed from the entries alone, and every damage named.
 *
 * In this order, each step standing on the one before:
 *
 * 1. geneses and versions: canonical form, place, signature, chain, parents, clock (`verify-versions.ts`)
 * 2. refs: what they name is there (`verify-refs.ts`)
 * 3. groups: every entry's leaf, every group's digest, every version's changes root (`verify-groups.ts`)
 * 4. contents: every file version rebuilt and compared with its SHA-256, and every line that claims to be one put before
 *    compared with that (`verify-contents.ts`), beside step 3
 * 5. trees: the tree of every version and its root (`verify-trees.ts`)
 * 6. evidence of what was refused (`verify-evidence.ts`)
 *
 * No index is read except to notice that its page is damaged. With `quick`, steps 1 and 2 are done, without signatures
 * but for the tips of streams, and nothing else.
 * @module
 */
import { milliseconds } from '../base/clock.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq } from '../lseq/lseq.js'
import { type Damage, Findings } from './findings.js'
import { versionKey } from './keys.js'
import { wrongSignatures } from './signatures.js'
import { ContentCheck, keyOf, readPathWrites, visitChunked } from './verify-contents.js'
import { type Equivocation, verifyEvidence } from './verify-evidence.js'
import { verifyGroups } from './verify-groups.js'
import { findHelp } from './verify-helper.js'
import { verifyRefs } from './verify-refs.js'
import { verifyTrees } from './verify-trees.js'
import { type CheckedVersion, verifyVersions } from './verify-versions.js'

/** How much to verify, and whom to tell. */
export interface VerifyOptions {
  readonly quick?: boolean | undefined
  readonly progress?: ((phase: string, done: number, total: number) => void) | undefined
}

/** What was verified and what is damaged. */
export interface Verified {
  readonly ok: boolean
  readonly versions: number
  /** But for indexes, which nobody signed. */
  readonly entries: number
  readonly files: number
  readonly bytes: number
  readonly signatures: number
  readonly seconds: number
  readonly damage: readonly Damage[]
  /** What is as it was signed, and should not be believed all the same. */
  readonly doubts: readonly Damage[]
  /** Second versions that were refused, proven by evidence. */
  readonly equivocations: readonly Equivocation[]
}

/** Verifies a store's entries. Damage is reported, not thrown. */
export async function verifyEntries(entries: EntryStore, options: VerifyOptions = {}): Promise<Verified> {
  const started = milliseconds()
  const findings = new Findings()
  const progress = options.progress ?? (() => undefined)
  const { graph, versions, signatures, sources, geneses } = await verifyVersions(
    entries,
    findings,
    options.quick === true,
    progress,
  )
  await verifyRefs(entries, graph, versions, findings)
  const equivocations = await verifyEvidence(entries, geneses, graph, versions, findings)
  const contents = { files: 0, bytes: 0 }
  const tellSignatures = (numbers: readonly number[]): void => {
    for (const { id, last, stream } of numbers.map((number) => versions[number - 1] as CheckedVersion)) {
      const place = { version: id, key: versionKey(last, stream) }
      findings.add('signature', `The signature of version ${formatLseq(last, stream)} does not hold.`, place)
    }
  }
  if (options.quick === true) {
    for (let batch = signatures.take(); batch !== undefined; batch = signatures.take()) {
      tellSignatures(wrongSignatures(batch))
    }
  } else {
    const writes = await readPathWrites(entries, graph, findings)
    await using help = findHelp(graph, writes, signatures, sources)
    await verifyGroups(entries, { graph, versions }, writes, findings, (batch) => help.takeLines(batch), progress)
    await verifyTrees(entries, graph, versions, writes, findings)
    const chunked = new ContentCheck()
    await visitChunked(entries, graph, writes, findings, chunked.visit)
    const lines = await help.finish()
    tellSignatures(lines.wrongSignatures)
    findings.damage.push(...lines.damage)
    findings.doubts.push(...lines.doubts)
    for (const write of [...lines.wrong, ...chunked.wrong]) {
      const place = { version: versions[write.number - 1]?.id, path: write.path, key: keyOf(write) }
      findings.add('content', 'The content is not the one whose hash was signed.', place)
    }
    contents.files = lines.files + chunked.files
    contents.bytes = lines.bytes + chunked.bytes
  }
  const { damage, doubts, entries: count } = findings
  return {
    ok: damage.length === 0,
    versions: graph.size,
    entries: count,
    ...contents,
    signatures: signatures.size,
    seconds: (milliseconds() - started) / 1000,
    damage,
    doubts,
    equivocations,
  }
}
