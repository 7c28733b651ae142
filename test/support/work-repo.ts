/**
 * Work trees with a history and with unsaved changes, for tests, and everything that can be seen of one.
 * @module
 */
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '../../src/base/bytes.js'
import { isDeletion, readRefs } from '../../src/history/refs.js'
import { Repository } from '../../src/repo/repository.js'
import { commit } from '../../src/worktree/commit.js'
import { initRepository } from '../../src/worktree/init.js'
import { scanWorkTree } from '../../src/worktree/scan.js'
import { switchTo } from '../../src/worktree/switch.js'
import { operations } from '../../src/worktree/undo.js'
import { Worktree } from '../../src/worktree/worktree.js'
import { filesBelow } from './disk.js'
import { quick } from './temp.js'
import { HOME } from './weft.js'

export const AUTHOR = { name: 'Test', email: 'test@example.org' }

/** Opens a work tree, does something with it and lets go of it. */
export async function withWork<T>(root: string, act: (work: Worktree) => Promise<T>): Promise<T> {
  await using repo = await Repository.open(root, { home: HOME })
  return await act(await Worktree.open(repo))
}

export function committing(message: string): (work: Worktree) => Promise<unknown> {
  return (work) => commit(work, { message, author: AUTHOR })
}

export function switching(to: string, discard = false): (work: Worktree) => Promise<unknown> {
  return (work) => switchTo(work, { to, discard })
}

/** Writes files; undefined removes one, with all that is below. */
export function edit(root: string, files: Readonly<Record<string, string | Buffer | undefined>>): void {
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path)
    if (content === undefined) rmSync(at, { recursive: true })
    else {
      mkdirSync(join(at, '..'), { recursive: true })
      writeFileSync(at, content)
    }
  }
}

/** A content that is no text. */
export const BINARY = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i) >> 3))

/**
 * A repository with the branches `main` and `dev`, which differ in every way that trees can, standing on `main` with
 * unsaved changes that can be carried along.
 */
export async function makeWorkRepo(): Promise<string> {
  const root = quick('repo')
  await initRepository(root, 'main', { home: HOME })
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}\n`)
  edit(root, {
    'a.txt': lines.join(''),
    'dir/b.txt': 'b\n',
    'dir/sub/c.txt': 'c\n',
    'dir/sub/d.txt': 'd\n',
    'run.sh': '#!/bin/sh\n',
    'gone.txt': 'gone\n',
    'same.txt': 'same\n',
    'bin.dat': BINARY,
    'odd\nname "x"': 'odd\n',
  })
  chmodSync(join(root, 'run.sh'), 0o755)
  symlinkSync('a.txt', join(root, 'link'))
  await withWork(root, committing('one'))
  await withWork(root, (work) => switchTo(work, { create: 'dev' }))
  edit(root, {
    'a.txt': lines.with(3, 'line of dev\n').join(''),
    'dir/sub': undefined,
    'gone.txt': undefined,
    link: undefined,
    'new/deep/e.txt': 'e\n',
    'bin.dat': Buffer.concat([BINARY.subarray(0, 9000), BINARY]),
  })
  edit(root, { 'dir/sub': 'a file where a directory was\n' })
  symlinkSync('same.txt', join(root, 'link'))
  chmodSync(join(root, 'run.sh'), 0o644)
  await withWork(root, committing('two'))
  await withWork(root, switching('main'))
  edit(root, { 'dir/b.txt': 'b of main\n' })
  await withWork(root, committing('three'))
  edit(root, { 'same.txt': 'same, but not saved\n', 'untracked.txt': 'not saved either\n' })
  return root
}

/** A copy at a place of its own, in which files have the stats that the index has, as far as that can be. */
export function copyOf(root: string, name = 'copy'): string {
  const to = quick(name)
  cpSync(root, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  return to
}

/** All that can be seen of a work tree, but for what differs from one run of the same commands to the next. */
export interface Seen {
  readonly files: Readonly<Record<string, string>>
  readonly branch: string | undefined
  readonly head: unknown
  readonly refs: Readonly<Record<string, unknown>>
  readonly changes: readonly string[]
  readonly state: unknown
  readonly operations: readonly string[]
}

/** Looks at a work tree. */
export async function see(work: Worktree): Promise<Seen> {
  const { repo, root, head } = work
  const known = new Map<string, unknown>()
  const versionAt = async (id: string | undefined): Promise<unknown> => {
    if (id === undefined || known.has(id)) return id && known.get(id)
    const log: string[] = []
    for await (const { message } of repo.log({ at: id })) log.push(message)
    const tree = (await repo.list({ at: id })).map(({ path, mode, sha256 }) => `${mode} ${sha256} ${path}`)
    known.set(id, { log, tree })
    return known.get(id)
  }
  const refs: Record<string, unknown> = {}
  for (const { kind, name, value } of await readRefs(repo.entries)) {
    if (!isDeletion(value)) refs[`${kind} ${name}`] = await versionAt(value.version && toHex(value.version.id))
  }
  const scan = scanWorkTree(root, work.index, { hash: true })
  const onDisk = [...filesBelow(root)].filter(([path]) => !path.startsWith('.weft/'))
  return {
    files: Object.fromEntries(
      onDisk.map(([path, { mode, data }]) => [path, `${mode} ${data.toString('latin1')}`]).sort(),
    ),
    branch: head.branch,
    head: await versionAt(head.version),
    refs,
    changes: scan.changes.map(({ path, change }) => `${change} ${path}`),
    state: withoutIds(work.state),
    operations: [...operations(root)].map(({ command, undone, files }) => `${command} ${undone} ${files}`),
  }
}

function withoutIds(state: unknown): unknown {
  return JSON.parse(JSON.stringify(state).replace(/[0-9a-f]{12,}|\d{4}-\d\d-\d\dT[^"]*/g, 'id'))
}
