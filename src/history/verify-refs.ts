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
import { decodeRefValue, type RefValue, replacedName } from './refs.js'
import type { CheckedVersion } from './verify-versions.js'

/** An entry of the name that is being read. */
interface NamedEntry {
  readonly key: Uint8Array
  readonly number: number
  readonly own: string
  readonly value: RefValue
}

/**
 * Checks every entry of every ref. What nobody has replaced names what is here; what has been replaced may name what was
 * never sent to anybody.
 */
export async function verifyRefs(
  entries: EntryStore,
  graph: Graph,
  versions: readonly CheckedVersion[],
  findings: Findings,
): Promise<void> {
  let name: string | undefined
  let named: NamedEntry[] = []
  const replaced = new Set<string>()
  const tell = (): void => {
    for (const entry of named) {
      if (!replaced.has(entry.own)) verifyLive(entry, name as string, graph, versions, findings)
    }
    named = []
    replaced.clear()
  }
  for await (const batch of findings.scan(entries, 'R')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const lseq = lseqOfKey(key)
      const number = graph.holding(graph.streams.slot(lseq.stream), lseq.seq)
      // An entry of no version is reported with the groups.
      if (number === undefined) continue
      const value = findings.guard('ref', { version: versions[number - 1]?.id, key }, () =>
        decodeRefValue(batch.value(i)),
      )
      if (value === undefined) continue
      const next = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
      if (next !== name) tell()
      name = next
      named.push({ key, number, own: replacedName(next, lseq), value })
      for (const other of value.replaces) replaced.add(replacedName(next, other))
    }
  }
  tell()
}

function verifyLive(
  { key, number, value }: NamedEntry,
  named: string,
  graph: Graph,
  versions: readonly CheckedVersion[],
  findings: Findings,
): void {
  const place = { version: versions[number - 1]?.id, key }
  const name = `${REF_KINDS[named[0] as RefKind]} ${named.slice(1)}`
  const { version, vector = [] } = value
  if (version !== undefined) {
    const lseq = formatLseq(version.seq, version.stream)
    const found = isThere(graph, versions, version)
    if (found === undefined) {
      findings.add('ref', `The ${name} names the version ${lseq}, which is missing or damaged.`, place)
    } else if (found.tree === undefined) {
      findings.add('ref', `The ${name} names ${lseq}, which is of a refs stream.`, place)
    }
  }
  const beyond = vector.find((lseq) => !reaches(graph, lseq))
  if (beyond !== undefined) {
    const lseq = formatLseq(beyond.seq, beyond.stream)
    findings.add('ref', `The ${name} covers its stream up to ${lseq}, and the last of it is missing.`, place)
  }
}

function isThere(
  graph: Graph,
  versions: readonly CheckedVersion[],
  { seq, stream, id }: VersionRef,
): CheckedVersion | undefined {
  const version = versions[(graph.at(graph.streams.slot(stream), seq) ?? 0) - 1]
  return version !== undefined && equalBytes(version.id, id) ? version : undefined
}

/** Whether a stream goes as far as an lseq of it. */
function reaches(graph: Graph, { seq, stream }: Lseq): boolean {
  const tip = graph.tip(graph.streams.slot(stream))
  return tip !== undefined && graph.node(tip).last >= seq
}
