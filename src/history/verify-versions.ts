/**
 * Verification, step 1: geneses, and versions with their chains and signatures.
 *
 * A version that does not hold is reported and left out of the graph; what names it as a parent is then reported too.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream, lseqOfKey } from '../lseq/lseq.js'
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
}

/** By number of a version: from which others it took lines, and whether any of those is not here. */
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
        chainError(version, genesis, versions, graph) ??
        sourceError(version, from, versions, graph)
      if (wrong !== undefined || genesis === undefined) {
        findings.add('chain', wrong ?? 'It has no genesis.', { version: version.id, key })
        continue
      }
      const { id, first, last, stream, tree, changes } = version
      graph.add(version)
      versions.push({ id, first, last, stream, tree, changes })
      const { size } = graph
      if (from.length > 0) sources.set(size, numbered(from, graph))
      const put = (): void => signatures.put(size, genesis.publicKey, id, version.signature)
      if (quick) tips.set(stream, put)
      else put()
    }
    progress('versions', graph.size, 0)
  }
  for (const put of tips.values()) put()
  return { graph, versions, signatures, sources }
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
  for (const { stream, repository: named } of geneses.values()) {
    if (equalBytes(named, repository)) continue
    const what = `The stream ${formatStream(stream)} is of another repository, or the genesis of this one was changed.`
    findings.add('genesis', what, { key: genesisKey(stream) })
  }
  return geneses
}

function placeError(version: Version, key: Uint8Array): string | undefined {
  if (equalBytes(versionKey(version.last, version.stream), key)) return undefined
  return `It stands at ${formatLseq(lseqOfKey(key).seq, lseqOfKey(key).stream)} and says it belongs elsewhere.`
}

/** What is wrong with a version's links into the past, if anything. */
function chainError(
  version: Version,
  genesis: Genesis | undefined,
  versions: readonly CheckedVersion[],
  graph: Graph,
): string | undefined {
  const { stream, prev, parents, first } = version
  if (genesis === undefined) return `The genesis of its stream ${formatStream(stream)} is missing or damaged.`
  if ((genesis.kind === 'content') !== (version.tree !== undefined)) return 'It is not of the kind its stream is for.'
  const tip = graph.tip(graph.streams.slot(stream))
  const before = tip === undefined ? undefined : versions[tip - 1]
  if (before === undefined) {
    if (prev.seq !== 0 || !equalBytes(prev.id, genesis.id)) {
      return prev.seq === 0
        ? 'The genesis that it names is another one.'
        : `The version before it in its stream, ${formatLseq(prev.seq, prev.stream)}, is missing or damaged.`
    }
  } else if (prev.seq !== before.last || !equalBytes(prev.id, before.id)) {
    return `The version before it in its stream is not ${formatLseq(prev.seq, prev.stream)}, as it says.`
  } else if (first <= before.last) {
    return 'Its seqs overlap those of the version before it.'
  }
  for (const parent of parents) {
    const wrong = parentError(parent, first, versions, graph)
    if (wrong !== undefined) return wrong
  }
  const slot = graph.streams.slot(stream)
  const covers = ({ seq, stream: of }: VersionRef): boolean => {
    const number = graph.at(graph.streams.slot(of), seq)
    return number !== undefined && tip !== undefined && graph.node(number).vector.covers(slot, tip)
  }
  // A vector describes a prefix of every stream, so a stream may be gone on with only by who stands on its tip.
  if (tip !== undefined && genesis.kind === 'content' && !parents.some(covers)) {
    return 'It goes on with its stream, but does not stand on the version before it there.'
  }
  return undefined
}

/** What is wrong with the versions from which one took lines. They need not be here. */
function sourceError(
  { first }: Version,
  sources: readonly VersionRef[],
  versions: readonly CheckedVersion[],
  graph: Graph,
): string | undefined {
  for (const { seq, stream, id } of sources) {
    const number = graph.at(graph.streams.slot(stream), seq)
    if (seq >= first || (number !== undefined && !equalBytes((versions[number - 1] as CheckedVersion).id, id))) {
      return `Its source ${formatLseq(seq, stream)} ${seq >= first ? 'is younger' : 'has another id'}.`
    }
  }
  return undefined
}

function numbered(sources: readonly VersionRef[], graph: Graph): { numbers: number[]; isMissing: boolean } {
  const numbers = sources.flatMap(({ seq, stream }) => graph.at(graph.streams.slot(stream), seq) ?? [])
  return { numbers, isMissing: numbers.length < sources.length }
}

function parentError(
  { seq, stream, id }: VersionRef,
  first: number,
  versions: readonly CheckedVersion[],
  graph: Graph,
): string | undefined {
  const name = formatLseq(seq, stream)
  const number = graph.at(graph.streams.slot(stream), seq)
  if (number === undefined) return `Its parent ${name} is missing or damaged.`
  if (!equalBytes((versions[number - 1] as CheckedVersion).id, id)) return `Its parent ${name} has another id.`
  return seq < first ? undefined : `Its seqs are not above those of its parent ${name}.`
}
