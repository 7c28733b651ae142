/**
 * `weft git import`: the history of a git repository into signed versions.
 *
 * The commits not here yet are taken in batches, parents first. A batch is planned from git's metadata, its contents are
 * read file by file, and it is written in one atomic step; an import that is interrupted has the batches it finished
 * and goes on from there. Refs are set last, in a version of their own.
 * @module
 */
import { resolve } from 'node:path'
import { fromLatin1, toHex } from '../base/bytes.js'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { isDerived } from '../history/derived.js'
import { beginStream, type Genesis } from '../history/genesis.js'
import { chunkPrefix, genesisKey, linesPrefix, prefixRange } from '../history/keys.js'
import type { Writer } from '../history/replica.js'
import type { Tree } from '../history/tree.js'
import { WeaveBuilder } from '../lines/weave.js'
import type { Weaver } from '../lines/weaver.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, lseqOfKey } from '../lseq/lseq.js'
import { branchHeads } from '../repo/branch-heads.js'
import { textOf } from '../repo/describe.js'
import type { Identity } from '../repo/identity.js'
import { writeHead } from '../repo/layout.js'
import { formatPath } from '../repo/path-text.js'
import { openReplica } from '../repo/replica.js'
import { Repository } from '../repo/repository.js'
import type { ImportReport, Progress } from '../repo/results.js'
import { Assembly, type Draft } from './assemble.js'
import { Base } from './base.js'
import { CatFile, type ObjectSource } from './cat-file.js'
import { type Commit, parseCommit } from './commit.js'
import { readContents } from './contents.js'
import { binary, type CommitLine, diffCommits, listCommits } from './history.js'
import { TreeProof } from './odd-trees.js'
import { type KnownVersion, type PlannedFile, type PlannedLeaf, type PlannedVersion, Planner } from './plan.js'
import { type ImportRefs, importRefs, readTargets, selectRefs } from './refs.js'
import { openSource } from './source.js'

/** Versions per batch: as many as can be planned in memory. */
const BATCH_VERSIONS = 16_384

/** Bytes of new lines and chunks that a batch may hold before it is written; one that would hold more is halved. */
const BATCH_BYTES = 256 * 1024 * 1024

/** What to import, and where to. */
export interface ImportOptions {
  /** A git repository or a bundle. */
  readonly source: string
  /** Where the repository is, or is to be. */
  readonly dir: string
  /** Only these branches and tags, by full or short name. */
  readonly refs?: readonly string[] | undefined
  /** Write the current branch's files into `dir`, which must have none. */
  readonly checkout?: boolean | undefined
  /** Recompute every imported commit's id from what is stored. */
  readonly check?: boolean | undefined
  readonly identity: Identity
  readonly progress?: Progress | undefined
  /** Versions per batch, for tests. */
  readonly batchVersions?: number | undefined
  /** Source of nonces, for tests. */
  readonly random?: ((bytes: number) => Uint8Array) | undefined
  /** Called with what sets branches and tags, which it has to call: for those who keep a record of it. */
  readonly aroundRefs?: (<T>(repository: Repository, set: () => Promise<T>) => Promise<T>) | undefined
}

/** What a batch came to. */
interface Counts {
  versions: number
  files: number
  entries: number
  lines: number
  bytes: number
}

/**
 * Imports what is new in a git source.
 *
 * @throws {CodedError} `GIT_*`, `BUNDLE_*`, `REF_UNKNOWN` for an unfit source, `STORE_*` for the repository.
 */
export async function importGit(options: ImportOptions): Promise<ImportReport> {
  const started = milliseconds()
  const progress = options.progress ?? (() => undefined)
  await using source = await openSource(options.source)
  const refs = selectRefs(source, options.refs)
  const targets = await readTargets(source, refs)
  const commits = await listCommits(source.gitDir, targets.commits)
  const dir = resolve(options.dir)
  await using repository = await Repository.openOrCreate(dir, options.random ?? crypto.randomBytes)
  const { entries } = repository
  const counts: Counts = { versions: 0, files: 0, entries: 0, lines: 0, bytes: 0 }
  let size = options.batchVersions ?? BATCH_VERSIONS
  for (;;) {
    const writer = await writerIn(repository, options.identity)
    const base = await Base.load(entries, writer)
    const todo = commits.filter(({ id }) => !base.byCommit.has(binary(id)))
    if (todo.length === 0) break
    const batch = todo.slice(0, size)
    const done = await new Batch(entries, base, writer, batch, source, options, counts, commits.length).run()
    if (!done) size = Math.max(1, Math.floor(batch.length / 2))
  }
  const setRefs = async () => importRefs(entries, targets, await writerIn(repository, options.identity))
  const { set, diverged } = await (options.aroundRefs?.(repository, setRefs) ?? setRefs())
  if (counts.versions > 0) {
    progress('compact', 0, 0)
    await entries.fold()
    await repository.compact()
  }
  const head = headFor(targets, source.head)
  if (head !== undefined && (await repository.head()).branch === undefined) await writeHead(dir, { branch: head })
  const warnings = [...targets.warnings]
  let checked: number | undefined
  if (options.check === true) {
    const { checkCommits } = await import('./check.js')
    checked = await checkCommits(repository.entries, progress)
  }
  if (options.checkout === true) await repository.checkout(progress)
  return {
    ...counts,
    seconds: (milliseconds() - started) / 1000,
    refs: set,
    diverged: diverged.map(formatPath),
    ...(head === undefined ? {} : { head }),
    ...(await leftBehind(repository)),
    streams: await repository.countStreams(),
    ...(checked === undefined ? {} : { checked }),
    warnings,
  }
}

/** The identity, with the streams that it may go on with: another answer once a batch has been written. */
async function writerIn({ entries, root }: Repository, { signer }: Identity): Promise<Writer> {
  return { signer, replica: await openReplica(entries, root, signer.publicKey) }
}

/** Whether the current branch has moved on from the version that the work tree stands on. */
async function leftBehind(repository: Repository): Promise<{ behind?: string }> {
  const { branch, version } = await repository.head()
  if (branch === undefined || version === undefined) return {}
  const heads = await branchHeads(repository.entries, branch)
  return heads.length === 0 || heads.some(({ id }) => toHex(id) === version) ? {} : { behind: branch }
}

/** The current branch: the source's, or the first there is. */
function headFor(targets: ImportRefs, head: string | undefined): string | undefined {
  const branches = targets.refs.filter(({ kind }) => kind === 'b').map(({ name }) => textOf(fromLatin1(name)))
  if (head !== undefined && branches.includes(head)) return head
  return ['main', 'master'].find((name) => branches.includes(name)) ?? branches[0]
}

/** Some commits on their way into the store. */
class Batch {
  readonly #entries: EntryStore
  readonly #base: Base
  readonly #writer: Writer
  readonly #commits: readonly CommitLine[]
  readonly #source: ObjectSource
  readonly #options: ImportOptions
  readonly #counts: Counts
  readonly #total: number
  readonly #geneses = new Map<number, Genesis>()
  readonly #planned: PlannedVersion[] = []
  readonly #drafts: Draft[] = []
  readonly #random: (bytes: number) => Uint8Array

  constructor(
    entries: EntryStore,
    base: Base,
    writer: Writer,
    commits: readonly CommitLine[],
    source: ObjectSource,
    options: ImportOptions,
    counts: Counts,
    total: number,
  ) {
    this.#entries = entries
    this.#base = base
    this.#writer = writer
    this.#commits = commits
    this.#source = source
    this.#options = options
    this.#counts = counts
    this.#total = total
    this.#random = options.random ?? crypto.randomBytes
  }

  /** False when the batch is too large: nothing has been written then. */
  async run(): Promise<boolean> {
    await this.#plan()
    const todo = this.#files()
    const contents = await readContents(todo, {
      source: this.#source,
      known: (number) => this.#known(number),
      load: (file, weaver) => this.#load(file, weaver),
      progress: (done) => this.#progress('contents', done, todo.total),
      keepAtMost: this.#commits.length > 1 ? BATCH_BYTES : Number.POSITIVE_INFINITY,
    })
    if (!contents.complete) return false
    const assembly = new Assembly(this.#drafts, {
      greatest: this.#base.graph.greatest,
      signer: this.#writer.signer,
      streamOf: (slot) => this.#base.graph.streams.id(slot),
      refOf: async (number) => this.#base.refOf(number),
      seqOf: (number) => this.#base.graph.node(number).last,
      geneses: this.#geneses,
      chunks: contents.chunks,
      chunkHolders: (hash) => this.#chunkHolders(hash),
      covers: (version, holder) => version.vector.covers(this.#known(holder).slot, holder),
    })
    await assembly.prepare()
    let added = 0
    this.#progress('write', 0, 0)
    await this.#entries.bulk(async (writer) => {
      for (const { key, value } of assembly.entries()) {
        if (!isDerived(key)) added++
        // Only a full page has to wait for room.
        const room = writer.add(key, value)
        if (room !== undefined) await room
      }
      const begun = [...this.#geneses.values()].map(({ stream, value }) => ({ key: genesisKey(stream), value }))
      return this.#writer.replica.operations(begun)
    })
    this.#counts.versions += this.#drafts.length
    this.#counts.files += todo.total
    this.#counts.entries += added
    this.#counts.lines += assembly.lines
    this.#counts.bytes += contents.bytes
    return true
  }

  #progress(phase: string, done: number, total: number): void {
    this.#options.progress?.(phase, done, total)
  }

  #known(number: number): KnownVersion {
    const { size } = this.#base.graph
    return number <= size ? this.#base.graph.node(number) : (this.#planned[number - size - 1] as PlannedVersion)
  }

  async #plan(): Promise<void> {
    const { graph, tips } = this.#base
    const planner = new Planner((number) => this.#known(number), {
      tips: new Map(tips),
      begin: () => this.#beginStream(),
    })
    const numbers = new Map<string, number>()
    const stored = new Map<number, Tree<PlannedLeaf>>()
    const contents = new CatFile(
      this.#source,
      this.#commits.map(({ id }) => id),
    )
    const objects = new CatFile(this.#source)
    const proof = new TreeProof(objects, planner, (this.#commits[0]?.id.length ?? 40) / 2)
    try {
      let i = 0
      for await (const rows of diffCommits(this.#source.gitDir, this.#commits)) {
        const { id, parents: parentIds } = this.#commits[i] as CommitLine
        const parents: { number: number; tree: Tree<PlannedLeaf> }[] = []
        for (const parentId of parentIds) {
          const number = numbers.get(parentId) ?? this.#base.byCommit.get(binary(parentId))
          if (number === undefined) throw missingParent(id, parentId)
          parents.push({ number, tree: await this.#treeAt(number, parentId, stored) })
        }
        const commit: Commit = parseCommit(fromLatin1(binary(id)), (await contents.next()).bytes)
        const number = graph.size + i + 1
        const { version, trees } = await proof.prove(planner.plan(number, parents, rows), binary(commit.tree))
        this.#planned.push(version)
        this.#drafts.push({ planned: version, commit, trees })
        numbers.set(id, number)
        i++
        if (i % 256 === 0) this.#progress('history', graph.size + i, this.#total)
      }
    } finally {
      await contents.close()
      await objects.close()
    }
  }

  async #treeAt(number: number, commit: string, stored: Map<number, Tree<PlannedLeaf>>): Promise<Tree<PlannedLeaf>> {
    const { size } = this.#base.graph
    if (number > size) return (this.#planned[number - size - 1] as PlannedVersion).tree
    const tree = stored.get(number) ?? (await this.#base.treeAt(number, this.#source.gitDir, commit))
    stored.set(number, tree)
    return tree
  }

  #beginStream(): number {
    const { streams } = this.#base.graph
    const begun = new Set([...this.#geneses.values()].map(({ stream }) => stream))
    const genesis = beginStream(
      this.#base.repository,
      this.#writer.signer.publicKey,
      'content',
      this.#random,
      (stream) => this.#base.streamIds.has(stream) || begun.has(stream),
    )
    const slot = streams.slot(genesis.stream)
    this.#geneses.set(slot, genesis)
    return slot
  }

  /** The files that this batch writes: stored ones in order of their ids, then new ones in order of their birth. */
  #files(): { file: PlannedFile; nodes: PlannedFile['nodes'] }[] & { total: number } {
    const nodes = new Map<PlannedFile, PlannedFile['nodes']>()
    let total = 0
    for (const { writes } of this.#planned) {
      for (const { leaf } of writes) {
        if (leaf.node === undefined) continue
        total++
        getOrMake(nodes, leaf.file, () => [] as PlannedFile['nodes']).push(leaf.node)
      }
    }
    const files = [...nodes].map(([file, list]) => ({ file, nodes: list }))
    files.sort((a, b) => {
      if (a.file.id === undefined || b.file.id === undefined) {
        return Number(a.file.id === undefined) - Number(b.file.id === undefined)
      }
      return compareLseq(a.file.id, b.file.id)
    })
    return Object.assign(files, { total })
  }

  /** Gives a weaver what is stored of a file. */
  async #load(file: PlannedFile, weaver: Weaver): Promise<void> {
    if (file.id === undefined) return
    const { graph } = this.#base
    const builder = new WeaveBuilder(graph.streams)
    const prefix = linesPrefix(file.id)
    for await (const batch of this.#entries.scan(prefixRange(prefix))) {
      for (let i = 0; i < batch.count; i++) builder.push(batch.key(i).subarray(prefix.length), batch.value(i))
    }
    weaver.load(
      builder.finish(),
      (slot, seq) => this.#base.versionOf({ seq, stream: graph.streams.id(slot) }),
      (slot) => graph.streams.id(slot),
    )
  }

  async #chunkHolders(hash: DigestString): Promise<number[]> {
    if (this.#base.graph.size === 0) return []
    const prefix = chunkPrefix(hash)
    const holders: number[] = []
    for await (const batch of this.#entries.scan(prefixRange(prefix))) {
      for (let i = 0; i < batch.count; i++) holders.push(this.#base.versionOf(lseqOfKey(batch.key(i))))
    }
    return holders
  }
}

function missingParent(id: string, parent: string): CodedError {
  return new CodedError('GIT_OBJECT_MISSING', `The parent ${parent} of the git commit ${id} is not in the source.`, {
    hint: 'Run `git fsck --full` on the source, fetch what is missing, and import again.',
  })
}
