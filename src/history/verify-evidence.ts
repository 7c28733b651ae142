/**
 * Verification of evidence: that a writer really signed two versions that follow the same one.
 *
 * Equivocation is no damage: what is here stands, and the second version was refused. But people should know of it, and proof
 * that no longer proves anything should be known as well.
 * @module
 */
import { equalBytes, startsWith, toHex } from '../base/bytes.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream } from '../lseq/lseq.js'
import { evidenceKey, readEvidence } from './evidence.js'
import type { Findings } from './findings.js'
import type { Genesis } from './genesis.js'
import type { Graph } from './graph.js'
import { decodeVersion, type Version } from './header.js'
import { fingerprint } from './signer.js'
import type { CheckedVersion } from './verify-versions.js'

/** Two versions that one key signed, of which there may be but one. */
export interface Equivocation {
  /** Six hex digits. */
  readonly stream: string
  /** Fingerprint of the key that signed both. */
  readonly signer: string
  /** Id of the version that is here, hex. */
  readonly kept: string
  /** Id of the one that was refused, hex. */
  readonly refused: string
  readonly detail: string
}

/** Reads all evidence. What proves nothing is damage. */
export async function verifyEvidence(
  entries: EntryStore,
  geneses: ReadonlyMap<number, Genesis>,
  graph: Graph,
  versions: readonly CheckedVersion[],
  findings: Findings,
): Promise<Equivocation[]> {
  const found: Equivocation[] = []
  for await (const { key, value } of readEvidence(entries.store)) {
    const version = findings.guard('evidence', { key }, () => decodeVersion(value))
    if (version === undefined) continue
    const { id, stream, prev } = version
    const genesis = geneses.get(stream)
    const kept = nextOf(version, graph, versions)
    const isSigned =
      genesis !== undefined && crypto.ed25519.verify(genesis.publicKey, id, version.signature) && isAt(key, version)
    if (!isSigned || kept === undefined) {
      findings.add('evidence', 'What was kept as evidence of two versions behind one proves nothing.', {
        version: id,
        key,
      })
      continue
    }
    const signer = fingerprint(genesis.publicKey)
    const name = prev.seq === 0 ? 'the beginning of its stream' : formatLseq(prev.seq, prev.stream)
    const detail = `The key ${signer} signed two versions that come right after ${name}. The second was refused.`
    found.push({ stream: formatStream(stream), signer, kept: toHex(kept), refused: toHex(id), detail })
  }
  return found
}

function isAt(key: Uint8Array, version: Version): boolean {
  const wanted = evidenceKey(version)
  return key.length === wanted.length && startsWith(key, wanted)
}

/** Id of the version that is here behind the one that `version` follows. */
function nextOf(
  { stream, prev, id }: Version,
  graph: Graph,
  versions: readonly CheckedVersion[],
): Uint8Array | undefined {
  const slot = graph.streams.slot(stream)
  const number = graph.after(slot, prev.seq)
  if (number === undefined) return undefined
  const before = graph.node(number).prev
  const next = versions[number - 1] as CheckedVersion
  const isBehind = before === 0 ? prev.seq === 0 : equalBytes((versions[before - 1] as CheckedVersion).id, prev.id)
  return isBehind && !equalBytes(next.id, id) ? next.id : undefined
}
