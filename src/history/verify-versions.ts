/**
 * Verification, step 1: geneses, and versions with their chains and signatures.
 *
 * A version that does not hold is reported and left out of the graph; what names it as a parent is then reported too.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { genesisFault, headerFault, linkFault } from './chain.js'
import type { Fault } from './fault.js'
import type { Findings } from './findings.js'
import { decodeGenesis, type Genesis, repositoryId } from './genesis.js'
import { Graph } from './graph.js'
import { decodeVersion, type Version, type VersionRef } from './header.js'
import { genesisKey, versionKey } from './keys.js'
import { SignatureQueue } from './signatures.js'
import { sourcesOf } from './sources.js'

/** The versions that hold. */
export interface CheckedVersions {
  readonly graph: Graph
  /** Of each version in the graph, by number - 1. */
  readonly versions: readonly CheckedVersion[]
  /** Signatures that are still to be verified. */
  readonly signatures: SignatureQueue
  readonly sources: SourceGraph
  /** By stream. */
  readonly geneses: ReadonlyMap<number, Genesis>
}

/** By number of a version: from which others, that it does not stand on, it took lines; and whether any is not here. */
export type SourceGraph = ReadonlyMap<number, { readonly numbers: readonly number[]; readonly isMissing: boolean }>

/** What the later steps need of a version. */
export interface CheckedVersion {
  readonly id: Uint8Array
  readonly first: number
  readonly last: number
  readonly stream: number
  readonly tree: Uint8Array | undefined
  readonly changes: Uint8Array
}

export async function verifyVersions(
  entries: EntryStore,
  findings: Findings,
  quick: boolean,
  progress: (phase: string, done: number, total: number) => void,
): Promise<CheckedVersions> {
  const geneses = await verifyGeneses(entries, findings)
  const graph = new Graph()
  const versions: CheckedVersion[] = []
  const signatures = new SignatureQueue()
  const sources = new Map<number, { numbers: readonly number[]; isMissing: boolean }>()
  const tips = new Map<number, () => void>()
  for await (const batch of findings.scan(entries, 'V')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      findings.entries++
      const version = findings.guard('version', { key }, () => decodeVersion(batch.value(i)))
      if (version === undefined) continue
      const genesis = geneses.get(version.stream)
      const from = findings.guard('version', { key }, () => sourcesOf(version))
      if (from === undefined) continue
      const wrong =
        placeError(version, key) ??
        (genesis === undefined
          ? `The genesis of its stream ${formatStream(version.stream)} is missing or damaged.`
          : chainFault(version, genesis, from, versions, graph)?.reason)
      if (wrong !== undefined || genesis === undefined) {
        findings.add('chain', wrong ?? '', { version: version.id, key })
        continue
      }
      const { id, first, last, stream, tree, changes } = version
      const node = graph.add(version)
      versions.push({ id, first, last, stream, tree, changes })
      const { size } = graph
      const beside = from.filter(({ seq, stream: of }) => {
        const number = graph.at(graph.streams.slot(of), seq)
        return number === undefined || !node.vector.covers(graph.streams.slot(of), number)
      })
      if (beside.length > 0) sources.set(size, numbered(beside, versions, graph))
      const put = (): void => signatures.put(size, genesis.publicKey, id, version.signature)
      if (quick) tips.set(stream, put)
      else put()
    }
    progress('versions', graph.size, 0)
  }
  for (const put of tips.values()) put()
  return { graph, versions, signatures, sources, geneses }
}

async function verifyGeneses(entries: EntryStore, findings: Findings): Promise<Map<number, Genesis>> {
  const geneses = new Map<number, Genesis>()
  let repository: Uint8Array | undefined
  for await (const batch of findings.scan(entries, 'K')) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const value = batch.value(i)
      findings.entries++
      const { seq, stream } = lseqOfKey(key)
      if (seq === 0 && stream === 0) {
        repository = findings.guard('genesis', { key }, () => repositoryId(value))
        continue
      }
      const genesis = findings.guard('genesis', { key }, () => decodeGenesis(value))
      if (genesis === undefined) continue
      if (genesis.stream === stream && seq === 0) geneses.set(stream, genesis)
      else
        findings.add('genesis', `The genesis of stream ${formatStream(stream)} is not the one its id stands for.`, {
          key,
        })
    }
  }
  if (repository === undefined) {
    findings.add('genesis', 'The genesis of the repository is missing or damaged.', { key: genesisKey(0) })
    return geneses
  }
  for (const genesis of geneses.values()) {
    const fault = genesisFault(genesis, genesis.stream, repository)
    if (fault !== undefined) findings.add('genesis', fault.reason, { key: genesisKey(genesis.stream) })
  }
  return geneses
}

function placeError(version: Version, key: Uint8Array): string | undefined {
  if (equalBytes(versionKey(version.last, version.stream), key)) return undefined
  return `It stands at ${formatLseq(lseqOfKey(key).seq, lseqOfKey(key).stream)} and says it belongs elsewhere.`
}

/** What is wrong with a version's links into the past, if anything. */
function chainFault(
  version: Version,
  genesis: Genesis,
  sources: readonly VersionRef[],
  versions: readonly CheckedVersion[],
  graph: Graph,
): Fault | undefined {
  const numberAt = ({ seq, stream }: Lseq) => graph.at(graph.streams.slot(stream), seq)
  const slot = graph.streams.slot(version.stream)
  const tip = graph.tip(slot)
  const before = tip === undefined ? undefined : versions[tip - 1]
  return (
    headerFault(version, genesis, sources) ??
    linkFault(version, genesis, {
      tip: before && { seq: before.last, stream: before.stream, id: before.id },
      at: (lseq) => {
        const found = versions[(numberAt(lseq) ?? 0) - 1]
        return found && { id: found.id, isContent: found.tree !== undefined }
      },
      coversTip: (parent) => {
        const number = numberAt(parent)
        return number !== undefined && tip !== undefined && graph.node(number).vector.covers(slot, tip)
      },
    })
  )
}

/** The sources of a version that are here: numbers, and whether all are. One that is here with another id is another one. */
function numbered(
  sources: readonly VersionRef[],
  versions: readonly CheckedVersion[],
  graph: Graph,
): { numbers: number[]; isMissing: boolean } {
  const numbers = sources.flatMap(({ seq, stream, id }) => {
    const number = graph.at(graph.streams.slot(stream), seq)
    return number !== undefined && equalBytes((versions[number - 1] as CheckedVersion).id, id) ? [number] : []
  })
  return { numbers, isMissing: numbers.length < sources.length }
}
