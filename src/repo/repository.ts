/**
 * A repository: everything a program can ask of one.
 *
 * Opening it takes the store's lock until it is disposed: `await using repository = await Repository.open('.')`.
 * Methods answer plain values (results.ts) and throw `CodedError` for what can be expected to fail.
 * @module
 */
import { mkdir, stat } from 'node:fs/promises'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { beginRepository } from '../history/genesis.js'
import { genesisKey, kindRange } from '../history/keys.js'
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathAt, pathsAt } from '../history/paths.js'
import type { Writer } from '../history/replica.js'
import type { Signer } from '../history/signer.js'
import { Versions } from '../history/versions.js'
import { EntryStore } from '../lseq/entries.js'
import { type LevelOptions, openLevelStore } from '../lseq/level.js'
import { formatLseq } from '../lseq/lseq.js'
import type { Operation, Store } from '../lseq/store.js'
import { Streams } from '../lseq/vector.js'
import { Describer } from './describe.js'
import type { DiffOptions } from './diff.js'
import { diskError } from './disk-error.js'
import { contentByHash, contentOf, piecesOf } from './files.js'
import { findRoot, type Head, isRepository, noRepository, readHead, storePath, storeSocket } from './layout.js'
import { formatMode, kindOf } from './mode.js'
import { formatPath, parsePath } from './path-text.js'
import { formatState, resolve, type State } from './resolve.js'
import type {
  Blame,
  BranchInfo,
  FileDiff,
  GrepMatch,
  Progress,
  RestoreReport,
  SignerInfo,
  StoreEntry,
  StoreStat,
  TagInfo,
  TreeEntry,
  VerifyReport,
  VersionDetail,
  VersionInfo,
} from './results.js'
import type { SignerPolicy } from './signer-policy.js'
import { Snapshots } from './snapshots.js'

/** The format of the store that this code reads and writes. */
export const STORE_FORMAT = 1

/** Packed pages that an import may hold for one atomic batch: more than a batch of it ever comes to. */
const HELD_BYTES = 512 * 1024 * 1024

/**
 * Lines are read by the file, and compress best by the megabyte. Everything else is mostly looked for one at a time: with
 * pages a quarter as large a path is found in 2 ms and not in 8, for 0.3 % of space.
 */
function pageEntries(kind: number): number {
  return kind === LINES ? 8192 : 2048
}

const LINES = 'L'.charCodeAt(0)

const FORMAT_KEY = encodeUtf8('mformat')

/** The write that makes a store one of this format. */
export function formatOperation(): Operation & { readonly type: 'put' } {
  return { type: 'put', key: FORMAT_KEY, value: encodeUtf8(String(STORE_FORMAT)) }
}

/** How to open a repository. */
export interface OpenOptions {
  /** The user's config directory, where signing needs the key. */
  readonly home?: string | undefined
  /** Milliseconds to wait for another process that has the repository open. */
  readonly wait?: number | undefined
  /** Called once when waiting begins. */
  readonly onWait?: (() => void) | undefined
  /** Take the store itself or nothing, and do not go through a server that has it: for servers. */
  readonly direct?: boolean | undefined
}

export class Repository implements AsyncDisposable {
  /** The directory that holds `.weft`. */
  readonly root: string
  readonly entries: EntryStore
  readonly versions: Versions
  readonly snapshots: Snapshots
  readonly #store: Store
  readonly #describer: Describer
  readonly #home: string | undefined

  private constructor(root: string, store: Store, options: OpenOptions) {
    this.root = root
    this.#store = store
    this.entries = new EntryStore(store, { heldBytes: HELD_BYTES, pageEntries })
    this.versions = new Versions(this.entries, new Streams())
    this.#describer = new Describer(this.entries, this.versions)
    this.#home = options.home
    this.snapshots = new Snapshots(this)
  }

  /**
   * Opens the repository that `directory` is in.
   *
   * @throws {CodedError} `REPO_NOT_FOUND`, `STORE_LOCKED`, `STORE_CORRUPT`, `FORMAT_NEWER`.
   */
  static async open(directory: string, options: OpenOptions = {}): Promise<Repository> {
    const root = await findRoot(directory)
    try {
      const store = await openLevelStore(storePath(root), { create: false, ...levelOptions(root, options) })
      return await Repository.#checked(root, store, options)
    } catch (error) {
      // Whoever made the directories was cut off before there was anything in them.
      if (error instanceof CodedError && error.code === 'STORE_MISSING') throw noRepository(root, error)
      throw error
    }
  }

  /** Opens the repository at `root` itself, or makes one there. */
  static async openOrCreate(
    root: string,
    random: (bytes: number) => Uint8Array = crypto.randomBytes,
    options: OpenOptions = {},
  ): Promise<Repository> {
    if (!(await isRepository(root))) await makeStoreDirectory(root)
    const store = await openLevelStore(storePath(root), { create: true, ...levelOptions(root, options) })
    if ((await store.get(FORMAT_KEY)) === undefined) {
      const { beginReplica, replicaOperation } = await import('../history/replica.js')
      const { placeOf } = await import('./replica.js')
      const operations = [formatOperation(), replicaOperation(beginReplica(await placeOf(root)))]
      await new EntryStore(store).put([{ key: genesisKey(0), value: beginRepository(random) }], { operations })
    }
    return Repository.#checked(root, store, options)
  }

  static async #checked(root: string, store: Store, options: OpenOptions): Promise<Repository> {
    try {
      const format = await store.get(FORMAT_KEY)
      const text = format === undefined ? '' : Buffer.from(format).toString('latin1')
      if (text === String(STORE_FORMAT)) return new Repository(root, store, options)
      if (/^[1-9]\d*$/.test(text)) {
        throw new CodedError(
          'FORMAT_NEWER',
          `The repository ${root} has format ${text}; this weft knows ${STORE_FORMAT}.`,
          {
            hint: 'Install a newer weft.',
          },
        )
      }
      if (await isEmpty(store)) {
        throw new CodedError('REPO_NOT_FOUND', `The repository at ${root} was begun, and holds nothing yet.`, {
          hint: 'Run the import that was interrupted once more.',
        })
      }
      if (format === undefined && (await new EntryStore(store).first()) === undefined) throw noRepository(root)
      throw new CodedError('FORMAT_BAD', `The store of ${root} does not say which format it has.`, {
        hint: 'Restore the repository from a copy, or remove its .weft directory and import again.',
      })
    } catch (error) {
      await store.close()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close()
  }

  /** Where the work tree stands: the current branch, and the version whose files it was last given. */
  head(): Promise<Head> {
    return readHead(this.root)
  }

  /**
   * The key that signs what is written here.
   *
   * @throws {CodedError} `KEY_MISSING` where the repository was opened without `home`; `KEY_*` for an unfit key.
   */
  async signer(): Promise<Signer> {
    const { openSigner } = await import('./identity.js')
    return openSigner(this.#home)
  }

  /**
   * Who writes here: the key, and the streams that may be gone on with. Whoever writes what it made puts
   * `replica.operations` of that into the same batch.
   *
   * @throws {CodedError} As `signer`.
   */
  async writer(): Promise<Writer> {
    const signer = await this.signer()
    const { openReplica } = await import('./replica.js')
    return { signer, replica: await openReplica(this.entries, this.root, signer.publicKey) }
  }

  /** The state that a version, branch, tag, snapshot, id, time or vector names; by default the current branch. */
  resolve(text?: string): Promise<State> {
    return resolve({ entries: this.entries, versions: this.versions, head: () => this.head() }, text)
  }

  /** Names of branches and tags by the id of the version they name. */
  async names(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { namesByVersion } = await import('./names.js')
    return namesByVersion(this.entries)
  }

  /** All branches; `against` names what they are compared with, by default where the work tree stands. */
  async branches({ against }: { against?: string | undefined } = {}): Promise<BranchInfo[]> {
    const { listBranches } = await import('./branches.js')
    const { branch, version } = await this.head()
    const text = against ?? version ?? branch
    const isKnown = against !== undefined || version !== undefined || (await this.#hasBranch(branch))
    const vector = text === undefined || !isKnown ? undefined : (await this.resolve(text)).vector
    return listBranches(this, branch, vector)
  }

  async #hasBranch(branch: string | undefined): Promise<boolean> {
    const { branchHeads } = await import('./branch-heads.js')
    return branch !== undefined && (await branchHeads(this.entries, branch)).length === 1
  }

  /** All tags. */
  async tags(): Promise<TagInfo[]> {
    return (await import('./branches.js')).listTags(this)
  }

  /** Versions from the newest on: of everything, or those that touched a path, through its renames. */
  async *log(options: { path?: string; limit?: number; at?: string } = {}): AsyncGenerator<VersionInfo> {
    const { ancestors, pathVersions } = await import('./log.js')
    const { vector, tips } = await this.resolve(options.at)
    let left = options.limit ?? Number.POSITIVE_INFINITY
    if (left <= 0) return
    const path = options.path === undefined ? '' : parsePath(options.path)
    if (path !== '' && (await pathAt(this.entries, this.versions.streams, vector, path)) === undefined) {
      for await (const _ of pathsAt(this.entries, this.versions.streams, vector, path)) {
        yield* this.#directoryLog(vector, path, left)
        return
      }
      throw this.#unknownPath(options.path ?? '', options.at)
    }
    const found = path === '' ? ancestors(this.versions, tips) : pathVersions(this.entries, this.versions, vector, path)
    for await (const version of found) {
      yield await this.#describer.info(version)
      if (--left === 0) return
    }
  }

  async *#directoryLog(vector: State['vector'], path: string, limit: number): AsyncGenerator<VersionInfo> {
    const { directoryVersions } = await import('./log.js')
    let left = limit
    for await (const version of directoryVersions(this.entries, this.versions, vector, path)) {
      yield await this.#describer.info(version)
      if (--left === 0) return
    }
  }

  /** One version in full: what it says, what it changed. */
  async show(text: string): Promise<VersionDetail> {
    const { showVersion } = await import('./show.js')
    return showVersion(this, this.#describer, text)
  }

  /** What differs from one version to another, file by file; the current branch stands for what is not named. */
  async *diff(from?: string, to?: string, options: DiffOptions = {}): AsyncGenerator<FileDiff> {
    const { diffVersions } = await import('./diff.js')
    yield* diffVersions(this, from, to, options)
  }

  /** The files at a state: all, or one path and what is below it. */
  async list(options: { path?: string; at?: string } = {}): Promise<TreeEntry[]> {
    const { vector } = await this.resolve(options.at)
    const under = options.path === undefined ? '' : parsePath(options.path)
    const listed: TreeEntry[] = []
    for await (const state of pathsAt(this.entries, this.versions.streams, vector, under)) listed.push(treeEntry(state))
    if (listed.length === 0 && under !== '') throw this.#unknownPath(options.path ?? '', options.at)
    return listed
  }

  /** The exact bytes of a file. */
  async read(path: string, options: { at?: string } = {}): Promise<Uint8Array> {
    const state = await this.resolve(options.at)
    const { path: name, entry } = await this.fileAt(path, state, options.at)
    return contentOf({ entries: this.entries, streams: this.versions.streams }, name, entry, state.vector)
  }

  /** Any content that any version of any file ever had, by the hex of its SHA-256. */
  async content(sha256Hex: string): Promise<Uint8Array> {
    return contentByHash({ entries: this.entries, streams: this.versions.streams }, sha256Hex, async (lseq) => {
      const holder = await this.versions.holder(lseq)
      return this.versions.vectorOf(holder === undefined ? lseq : { seq: holder.last, stream: holder.stream })
    })
  }

  /** Writes a state, or some paths of it, into an empty or new directory: whole or not at all. */
  async restore(options: { paths?: string[]; at: string; to: string; progress?: Progress }): Promise<RestoreReport> {
    const { restoreState } = await import('./restore.js')
    return restoreState(this, options)
  }

  /** Writes a state's files, by default the current branch's, into the repository's own directory, which must have none. */
  async checkout(progress?: Progress, at?: string): Promise<RestoreReport> {
    const { checkoutState } = await import('./restore.js')
    return checkoutState(this, progress, at)
  }

  /** Who put each line of a file there. */
  async blame(path: string, options: { at?: string } = {}): Promise<Blame> {
    const { blameLines } = await import('./blame.js')
    const state = await this.resolve(options.at)
    const { path: name, entry } = await this.fileAt(path, state, options.at)
    const context = { entries: this.entries, streams: this.versions.streams }
    const lines = entry.chunked
      ? []
      : await blameLines(await piecesOf(context, entry.file, state.vector), this.versions)
    return { path: formatPath(name), at: formatState(state, this.versions), lines }
  }

  /** Lines that match, at a state or in all of history. */
  async *grep(
    pattern: RegExp,
    options: { at?: string; history?: boolean; paths?: string[] } = {},
  ): AsyncGenerator<GrepMatch> {
    const { grepHistory, grepState } = await import('./grep.js')
    yield* options.history === true ? grepHistory(this, pattern, options) : grepState(this, pattern, options)
  }

  /**
   * The keys that wrote here or are known, those that wrote last first.
   *
   * @throws {CodedError} `SIGNERS_DAMAGED`, `KEY_*`.
   */
  async signers(): Promise<SignerInfo[]> {
    const { listSigners } = await import('./signer-list.js')
    return listSigners(this, await this.#ownKey())
  }

  /**
   * Whose versions may come in, as the keys and the setting `sync.signers` are now.
   *
   * @throws {CodedError} `SIGNERS_DAMAGED`, `CONFIG_BAD`, `KEY_*`.
   */
  async signerPolicy(): Promise<SignerPolicy> {
    const { readConfig } = await import('./config.js')
    const { signerPolicy } = await import('./signer-policy.js')
    const { readSigners } = await import('./signers.js')
    const rule = readConfig(this.root, this.#home).get('sync.signers')
    return signerPolicy({ signers: readSigners(this.root), rule, own: await this.#ownKey() })
  }

  /** The user's public key; undefined where there is none, or nobody said where to look. */
  async #ownKey(): Promise<Uint8Array | undefined> {
    const { findIdentity } = await import('./identity.js')
    return this.#home === undefined ? undefined : (await findIdentity(this.#home))?.signer.publicKey
  }

  /** Recomputes everything from the entries alone, and checks the bytes of the store's files that hold no entries. */
  async verify(options: { quick?: boolean; progress?: Progress } = {}): Promise<VerifyReport> {
    const { verifyEntries } = await import('../history/verify.js')
    const { signedBeyond } = await import('./signed-beyond.js')
    const verified = await verifyEntries(this.entries, options)
    const report = { ...verified, revoked: await signedBeyond(this.entries, this.root) }
    if (options.quick === true) return report
    const { lastingDamage } = await import('../lseq/files.js')
    const files = (await lastingDamage(storePath(this.root))).map(({ file, detail }) => ({
      kind: 'file',
      detail: `The file ${file} of the store is damaged: ${detail}.`,
    }))
    return { ...report, ok: report.ok && files.length === 0, damage: [...report.damage, ...files] }
  }

  /** The key-value level, for the curious. */
  readonly store = {
    stat: async (): Promise<StoreStat> => (await import('./inspect.js')).storeStat(this.entries, this.root),
    scan: (prefix: string): AsyncIterable<StoreEntry> => scanStore(this.entries, prefix),
    get: async (key: string): Promise<StoreEntry> => (await import('./inspect.js')).storeGet(this.entries, key),
  }

  /** Leaves the store's files in their smallest form. */
  compact(): Promise<void> {
    return this.#store.compact()
  }

  /** How many streams of content there are. */
  async countStreams(): Promise<number> {
    const { decodeGenesis } = await import('../history/genesis.js')
    let count = 0
    for await (const batch of this.entries.scan(kindRange('K'))) {
      for (let i = 0; i < batch.count; i++) {
        const isRepository = batch
          .key(i)
          .subarray(1)
          .every((byte) => byte === 0)
        if (!isRepository && decodeGenesis(batch.value(i)).kind === 'content') count++
      }
    }
    return count
  }

  /**
   * The file at a path of a state.
   *
   * @throws {CodedError} `PATH_UNKNOWN`.
   */
  async fileAt(path: string, state: State, at: string | undefined): Promise<PathState<PathPut>> {
    const name = parsePath(path)
    const found = await pathAt(this.entries, this.versions.streams, state.vector, name)
    if (found !== undefined && 'file' in found.entry) return found as PathState<PathPut>
    for await (const _ of pathsAt(this.entries, this.versions.streams, state.vector, name)) {
      throw new CodedError('PATH_UNKNOWN', `${path} is a directory, not a file.`, {
        hint: `\`weft ls ${path}${at === undefined ? '' : ` --at ${at}`}\` shows the files in it.`,
      })
    }
    throw this.#unknownPath(path, at, found)
  }

  #unknownPath(path: string, at: string | undefined, deleted?: PathState): CodedError {
    const where = at === undefined ? 'on the current branch' : `at ${at}`
    const message = `There is no ${path} ${where}.`
    if (deleted === undefined) {
      return new CodedError('PATH_UNKNOWN', message, {
        hint: `\`weft ls${at === undefined ? '' : ` --at ${at}`}\` shows the paths there are.`,
      })
    }
    return new CodedError('PATH_UNKNOWN', `${message} It was deleted.`, {
      hint: `\`weft log ${path}\` shows when, and \`--at\` names a version from before.`,
    })
  }
}

function levelOptions(root: string, { wait, onWait, direct }: OpenOptions): LevelOptions {
  return { wait, onWait, socket: direct === true ? undefined : storeSocket(root) }
}

async function isEmpty(store: Store): Promise<boolean> {
  for await (const _ of store.keys({ limit: 1 })) return false
  return true
}

/** @throws {CodedError} `DIR_IS_FILE`, `DISK_*`. */
async function makeStoreDirectory(root: string): Promise<void> {
  const there = await stat(root).catch(() => undefined)
  if (there?.isDirectory() === false) {
    throw new CodedError('DIR_IS_FILE', `${root} is not a directory.`, { hint: 'Name a directory, new or not.' })
  }
  try {
    await mkdir(storePath(root), { recursive: true })
  } catch (error) {
    throw diskError(error, storePath(root))
  }
}

async function* scanStore(entries: EntryStore, prefix: string): AsyncGenerator<StoreEntry> {
  yield* (await import('./inspect.js')).storeScan(entries, prefix)
}

/** A path as `ls` lists it. */
export function treeEntry({ path, entry }: PathState<PathPut>): TreeEntry {
  return {
    path: formatPath(path),
    mode: formatMode(entry.mode),
    kind: kindOf(entry.mode),
    size: entry.size,
    sha256: Buffer.from(entry.sha256).toString('hex'),
    file: formatLseq(entry.file.seq, entry.file.stream),
  }
}
