/**
 * All that can be said of a repository without naming a stream or a version: two that differ in nothing else are equal.
 *
 * Versions are called by their place among all, lseqs by their seq.
 * @module
 */
import { fromHex, toHex, toLatin1 } from '../../src/base/bytes.js'
import { decodeConflicts } from '../../src/history/conflict.js'
import { extraOf } from '../../src/history/extra.js'
import type { Ident, Version } from '../../src/history/header.js'
import { CONFLICTS_EXTRA } from '../../src/history/note.js'
import { pathsAt } from '../../src/history/paths.js'
import { readRefs } from '../../src/history/refs.js'
import { sourcesOf } from '../../src/history/sources.js'
import { contentOf } from '../../src/repo/files.js'
import { formatPath } from '../../src/repo/path-text.js'
import type { Repository } from '../../src/repo/repository.js'

/** Plain data, to be compared. */
export interface Portrait {
  readonly versions: readonly unknown[]
  readonly refs: readonly unknown[]
  readonly lines: readonly unknown[]
}

/** @param every - Contents and blame are looked at for one version in so many, and for the last few. */
export async function portrait(repo: Repository, every = 1): Promise<Portrait> {
  const { entries, versions } = repo
  const all: Version[] = []
  for await (const version of versions.all()) all.push(version)
  const numbers = new Map(all.map(({ id }, i) => [toHex(id), i]))
  const named = ({ id }: { readonly id: Uint8Array }): number | undefined => numbers.get(toHex(id))
  const said: unknown[] = []
  const lines: unknown[] = []
  for (const [i, version] of all.entries()) {
    const { message, extra } = await versions.note(version)
    const conflicts = extraOf({ extra }, CONFLICTS_EXTRA)
    said.push({
      block: [version.first, version.last],
      prev: named(version.prev),
      parents: version.parents.map(named),
      author: ident(version.author),
      committer: ident(version.committer),
      extra: version.extra.filter(({ name }) => name !== 'sources').map(({ name, value }) => [name, toHex(value)]),
      sources: sourcesOf(version).map(named),
      message: toLatin1(message),
      note: extra.filter(({ name }) => name !== CONFLICTS_EXTRA).map(({ name, value }) => [name, toHex(value)]),
      conflicts: conflicts && conflictsOf(conflicts, (id) => named({ id: fromHex(id) as Uint8Array })),
    })
    if (version.tree === undefined || (i % every > 0 && i < all.length - 4)) continue
    const { vector } = await repo.resolve(toHex(version.id))
    const files: Record<string, unknown> = {}
    for await (const { path, entry } of pathsAt(entries, versions.streams, vector)) {
      const bytes = await contentOf({ entries, streams: versions.streams }, path, entry, vector)
      files[path] = { mode: entry.mode, file: entry.file.seq, text: toLatin1(bytes) }
      const blamed = await repo.blame(formatPath(path), { at: toHex(version.id) })
      lines.push([
        path,
        ...blamed.lines.map(({ lseq, version: of }) => [lseq.slice(lseq.indexOf('-')), numbers.get(of)]),
      ])
    }
    said.push(files)
  }
  const refs = (await readRefs(entries)).map(({ kind, name, seq, value }) => ({
    kind,
    name,
    seq,
    replaces: value.replaces.map((lseq) => lseq.seq),
    version: value.version && [value.version.seq, named(value.version)],
    message: value.message && toLatin1(value.message),
    vector: value.vector?.map((lseq) => lseq.seq).sort(),
  }))
  return { versions: said, refs, lines }
}

function ident({ name, email, time, zone }: Ident): unknown {
  return [toLatin1(name), toLatin1(email), time, zone]
}

function conflictsOf(bytes: Uint8Array, named: (id: string) => number | undefined): unknown {
  return JSON.parse(
    JSON.stringify(decodeConflicts(bytes), (key, value: unknown) => {
      if (key === 'version') return named(value as string) ?? null
      return key === 'stream' ? undefined : value
    }),
  )
}
