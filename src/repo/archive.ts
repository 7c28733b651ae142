/**
 * Archives: the files of a state as one stream of bytes, in the form of tar or zip.
 *
 * The bytes depend on the state, the paths and the prefix alone: entries in order of paths, each directory before what is
 * in it, every time the committer's. Owners are root, modes 0644 or 0755, as git has it with a umask of 022; a submodule
 * is an empty directory. Contents are read in windows of a bounded size, because reading files in the order of their
 * ids takes one pass over the store, and the order of paths none at all.
 * @module
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { encodeUtf8, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { PathPut } from '../history/path-entry.js'
import type { PathState } from '../history/paths.js'
import type { ArchiveEntry, ArchiveFormat } from './archive-entry.js'
import { ChosenPaths } from './chosen-paths.js'
import { contentsOf } from './contents.js'
import type { RepositoryContext } from './context.js'
import { kindOf } from './mode.js'
import { formatState } from './resolve.js'
import { pathsToWrite } from './restore.js'
import type { Progress } from './results.js'
import { assertSafePaths, unsafeReason } from './safe-path.js'

/** What to put into an archive. */
export interface ArchiveOptions {
  /** The version. */
  readonly at: string
  readonly format: ArchiveFormat
  /** Before every path, a slash at its end included where one is wanted. */
  readonly prefix?: string | undefined
  /** Files and directories; all where there are none. */
  readonly paths?: readonly string[] | undefined
  readonly progress?: Progress | undefined
  /** Bytes of contents that are in memory at a time, unless one file has more. */
  readonly windowBytes?: number | undefined
}

/** An archive that is about to be read. */
export interface Archive {
  /** Id of the version, or the vector as text. */
  readonly at: string
  /** How many files and links are in it. */
  readonly files: number
  /** The bytes; to be read once. */
  readonly chunks: AsyncGenerator<Uint8Array>
}

/** As many bytes as most trees have: one pass over the store. */
const WINDOW_BYTES = 32 * 1024 * 1024

/**
 * Makes an archive of a version.
 *
 * @throws {CodedError} `V_*` for the version; `PATH_UNKNOWN`, `PATH_UNSAFE`, `ARCHIVE_LIMIT` for paths; while it is read
 *   also `CONTENT_DAMAGED` and others for the store.
 */
export async function makeArchive(repository: RepositoryContext, options: ArchiveOptions): Promise<Archive> {
  const { at, format, prefix = '', paths, progress = () => undefined, windowBytes = WINDOW_BYTES } = options
  const checked = checkedPrefix(prefix)
  const state = await repository.resolve(at)
  const chosen = await pathsToWrite(repository, state, new ChosenPaths(paths))
  const states = chosen.sort((a, b) => (a.path < b.path ? -1 : 1))
  assertSafePaths(states.map(({ path }) => path))
  const time = Math.max(0, ...state.tips.map(({ committer }) => committer.time))
  const { entries, versions } = repository
  const contents = contentsInOrder({ entries, streams: versions.streams }, states, state.vector, windowBytes)
  const named = entriesOf(contents, toLatin1(encodeUtf8(checked)), time, (done) =>
    progress('archive', done, states.length),
  )
  return { at: formatState(state, versions), files: states.length, chunks: await written(named, format) }
}

/** @throws {CodedError} `PATH_UNSAFE` for a prefix that would lead out of the directory an archive is unpacked in. */
function checkedPrefix(prefix: string): string {
  const path = toLatin1(encodeUtf8(prefix)).replace(/\/$/, '')
  const reason = path === '' ? undefined : unsafeReason(path, process.platform)
  if (reason === undefined && prefix !== '/') return prefix
  throw new CodedError('PATH_UNSAFE', `The prefix ${prefix} is not safe: ${reason ?? 'it is absolute'}.`, {
    hint: 'Give a relative path, with a slash at its end: weft-1.0/',
  })
}

/** Contents in the order of `states`, read a window at a time. */
async function* contentsInOrder(
  context: Parameters<typeof contentsOf>[0],
  states: readonly PathState<PathPut>[],
  vector: Parameters<typeof contentsOf>[2],
  windowBytes: number,
): AsyncGenerator<{ state: PathState<PathPut>; content: Uint8Array }> {
  for (let from = 0; from < states.length; ) {
    let to = from
    for (let bytes = 0; to < states.length && (to === from || bytes <= windowBytes); to++) {
      bytes += states[to]?.entry.size ?? 0
    }
    const window = states.slice(from, to)
    const read = new Map<string, Uint8Array>()
    const files = window.filter(({ entry }) => kindOf(entry.mode) !== 'submodule')
    // A copy: what is read may be a part of a page, which would stay in memory with it.
    for await (const { state, content } of contentsOf(context, files, vector)) {
      read.set(state.path, window.length === 1 ? content : Buffer.from(content))
    }
    for (const state of window) yield { state, content: read.get(state.path) ?? NOTHING }
    from = to
  }
}

const NOTHING = new Uint8Array(0)

/** What stands in the archive: the directories on the way, and the files. */
async function* entriesOf(
  contents: ReturnType<typeof contentsInOrder>,
  prefix: string,
  time: number,
  progress: (done: number) => void,
): AsyncGenerator<ArchiveEntry> {
  const made = new Set<string>()
  let done = 0
  for await (const { state, content } of contents) {
    const name = prefix + state.path
    const kind = kindOf(state.entry.mode)
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      const directory = name.slice(0, slash + 1)
      if (made.has(directory)) continue
      made.add(directory)
      yield { name: directory, kind: 'directory', content: NOTHING, time }
    }
    if (kind === 'submodule') yield { name: `${name}/`, kind: 'directory', content: NOTHING, time }
    else yield { name, kind, content, time }
    progress(++done)
  }
}

/** The bytes of an archive. What makes them is loaded when it is needed. */
async function written(
  entries: AsyncGenerator<ArchiveEntry>,
  format: ArchiveFormat,
): Promise<AsyncGenerator<Uint8Array>> {
  if (format === 'zip') return (await import('./archive-zip.js')).zipOf(entries)
  const tar = (await import('./archive-tar.js')).tarOf(entries)
  return format === 'tar' ? tar : gzipped(tar)
}

async function* gzipped(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip()
  // A failure destroys the stream, and whoever reads it hears of it.
  const feeding = pipeline(Readable.from(chunks), gzip).catch(() => undefined)
  for await (const chunk of gzip) yield chunk
  await feeding
}
