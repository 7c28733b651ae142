/**
 * Verification of refs: what they name is there.
 *
 * A version that is taken away from the middle of a stream leaves a gap in its chain. One taken away from the end does
 * not, but the refs that led to it still do: signed, and in a stream of their own.
 * @module
 */
import { equalBytes, toLatin1 } from '../base/bytes.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { Findings } from './findings.js'
import type { Graph } from './graph.js'
import type { VersionRef } from './header.js'
import { REF_KINDS, type RefKind } from './keys.js'
import { decodeRefValue } from './refs.js'
import type { CheckedVersion } from './verify-versions.js'

/** Checks every entry of every ref, replaced ones too: nothing that was ever named goes away. */
export async function verifyRefs(
  entries: EntryStore,
  graph: Graph,
  versions: readonly CheckedVersion[],
  findings: Findings,
): Promise<void> {
  for await (const batch of findings.scan(entries, 'R')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const { seq, stream } = lseqOfKey(key)
      const number = graph.holding(graph.streams.slot(stream), seq)
      // An entry of no version is reported with the groups.
      if (number === undefined) continue
      const place = { version: versions[number - 1]?.id, key }
      const value = findings.guard('ref', place, () => decodeRefValue(batch.value(i)))
      if (value === undefined) continue
      const name = `${REF_KINDS[toLatin1(key, 1, 2) as RefKind]} ${toLatin1(key, 2, key.length - LSEQ_BYTES - 1)}`
      const { version, vector = [] } = value
      if (version !== undefined && !isThere(graph, versions, version)) {
        const named = formatLseq(version.seq, version.stream)
        findings.add('ref', `The ${name} names the version ${named}, which is missing or damaged.`, place)
      }
      const beyond = vector.find((lseq) => !reaches(graph, lseq))
      if (beyond !== undefined) {
        const named = formatLseq(beyond.seq, beyond.stream)
        findings.add('ref', `The ${name} covers its stream up to ${named}, and the last of it is missing.`, place)
      }
    }
  }
}

function isThere(graph: Graph, versions: readonly CheckedVersion[], { seq, stream, id }: VersionRef): boolean {
  const number = graph.at(graph.streams.slot(stream), seq)
  return number !== undefined && equalBytes((versions[number - 1] as CheckedVersion).id, id)
}

/** Whether a stream goes as far as an lseq of it. */
function reaches(graph: Graph, { seq, stream }: Lseq): boolean {
  const tip = graph.tip(graph.streams.slot(stream))
  return tip !== undefined && graph.node(tip).last >= seq
}
