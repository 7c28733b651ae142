/**
 * Branches and tags: made, listed, renamed, deleted, and all of it taken back.
 * @module
 */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { namePattern } from '../src/cli/name-pattern.js'
import {
  type BranchInfo,
  commit,
  createBranch,
  createTag,
  deleteBranch,
  deleteTag,
  initRepository,
  Repository,
  renameBranch,
  switchTo,
  undo,
  Worktree,
} from '../src/index.js'
import { nowhere } from './support/temp.js'
import { HOME, weft } from './support/weft.js'

const author = { name: 'Ada', email: 'ada@example.com' }

/** A repository with two versions on main and one more on topic. */
async function opened(): Promise<{ repo: Repository; work: Worktree }> {
  const root = nowhere('branches')
  await initRepository(root, 'main', { home: HOME })
  const repo = await Repository.open(root, { home: HOME })
  const work = await Worktree.open(repo)
  for (const n of [1, 2]) await save(work, `main ${n}`)
  await switchTo(work, { create: 'topic' })
  await save(work, 'topic 1')
  await switchTo(work, { to: 'main' })
  return { repo, work }
}

async function save(work: Worktree, text: string): Promise<void> {
  writeFileSync(join(work.root, text), text)
  await commit(work, { message: text, author })
}

const brief = ({ name, current, ahead, behind, subject }: BranchInfo) => ({ name, current, ahead, behind, subject })

describe('branches', () => {
  let repo: Repository
  let work: Worktree
  before(async () => {
    const made = await opened()
    repo = made.repo
    work = made.work
  })

  it('are listed with what they are ahead and behind', async () => {
    assert.deepEqual((await repo.branches()).map(brief), [
      { name: 'main', current: true, ahead: 0, behind: 0, subject: 'main 2' },
      { name: 'topic', current: false, ahead: 1, behind: 0, subject: 'topic 1' },
    ])
    await save(work, 'main 3')
    await save(work, 'main 4')
    const [, topic] = await repo.branches()
    assert.deepEqual([topic?.ahead, topic?.behind], [1, 2])
    const [main] = await repo.branches({ against: 'topic' })
    assert.deepEqual([main?.ahead, main?.behind], [2, 1])
  })

  it('are made, renamed, deleted and brought back', async () => {
    await createBranch(work, 'new', 'topic')
    await assert.rejects(createBranch(work, 'new'), { code: 'NAME_TAKEN' })
    await assert.rejects(createBranch(work, 'a..b'), { code: 'NAME_BAD' })
    await assert.rejects(createBranch(work, 'x', 'nowhere'), { code: 'V_UNKNOWN' })
    await renameBranch(work, 'new', 'newer')
    await assert.rejects(renameBranch(work, 'new', 'newest'), { code: 'REF_UNKNOWN' })
    assert.deepEqual(
      (await repo.branches()).map(({ name }) => name),
      ['main', 'newer', 'topic'],
    )
    await deleteBranch(work, 'newer')
    await assert.rejects(deleteBranch(work, 'main'), { code: 'BRANCH_CURRENT' })
    await assert.rejects(deleteBranch(work, 'topic'), { code: 'BRANCH_UNMERGED' })
    await deleteBranch(work, 'topic', true)
    assert.deepEqual(
      (await repo.branches()).map(({ name }) => name),
      ['main'],
    )
    await undo(work, 3)
    assert.deepEqual(
      (await repo.branches()).map(({ name }) => name),
      ['main', 'new', 'topic'],
    )
  })

  it('are left and come back to with a dash, as far as they are there', async () => {
    const { repo: own, work: tree } = await opened()
    await using _ = own
    const dash = async () => (await switchTo(tree, { to: '-' })).branch
    assert.equal(await dash(), 'topic')
    assert.equal(await dash(), 'main')
    const { version } = await switchTo(tree, { to: 'main~1' })
    assert.equal(await dash(), 'main')
    const back = await switchTo(tree, { to: '-' })
    assert.deepEqual([back.branch, back.version], [undefined, version])
    await switchTo(tree, { create: 'short' })
    await switchTo(tree, { to: 'main' })
    await deleteBranch(tree, 'short', true)
    assert.equal((await switchTo(tree, { to: '-' })).version, version)
  })

  it('cannot be come back to before the first was left', async () => {
    const root = nowhere('branches')
    await initRepository(root, 'main', { home: HOME })
    await using own = await Repository.open(root, { home: HOME })
    const tree = await Worktree.open(own)
    await save(tree, 'one')
    await assert.rejects(switchTo(tree, { to: '-' }), { code: 'V_UNKNOWN' })
  })

  it('take the work tree along where the current one is renamed', async () => {
    await renameBranch(work, 'main', 'trunk')
    assert.equal((await repo.head()).branch, 'trunk')
    assert.equal((await repo.log().next()).value?.message, 'main 4\n')
    await undo(work)
    assert.equal((await repo.head()).branch, 'main')
  })

  it('with tags beside them, which are set once', async () => {
    await createTag(work, 'v1', { at: 'topic', message: 'The first', author })
    await createTag(work, 'v2', {})
    await assert.rejects(createTag(work, 'v1', {}), { code: 'NAME_TAKEN' })
    const tags = await repo.tags()
    assert.deepEqual(
      tags.map(({ name, message }) => [name, message]),
      [
        ['v1', 'The first\n'],
        ['v2', undefined],
      ],
    )
    assert.equal((await repo.resolve('v1')).version?.id.length, 32)
    await deleteTag(work, 'v1')
    await assert.rejects(deleteTag(work, 'v1'), { code: 'REF_UNKNOWN' })
    assert.deepEqual((await repo.verify()).damage, [])
  })

  it('are lines of a list for people', async () => {
    await repo[Symbol.asyncDispose]()
    const { stdout } = await weft(['-C', repo.root, 'branch'])
    assert.match(
      stdout.toString(),
      /^\* main {3}[0-9a-f]{12} +main 4\n {2}new {4}[0-9a-f]{12} {2}\[ahead 1, behind 2\] {2}topic 1\n/,
    )
    assert.match((await weft(['-C', repo.root, 'tag'])).stdout.toString(), /^v2 {2}[0-9a-f]{12}/)
    const listed = async (...args: string[]) => (await weft(['-C', repo.root, ...args])).stdout.toString()
    assert.match(await listed('branch', 'n*'), /^ {2}new .*\n$/)
    assert.equal(await listed('branch', 'x?'), 'No branch is called x?.\n')
    assert.match(await listed('tag', '?2'), /^v2 /)
    assert.equal(await listed('tag', 'v1*'), 'No tag is called v1*.\n')
  })

  it('match patterns as a whole, slashes included', () => {
    const cases: [pattern: string, name: string, matches: boolean | undefined][] = [
      ['v1.*', 'v1.2', true],
      ['v1.*', 'v102', false],
      ['v1.*', 'xv1.2', false],
      ['*', 'a/b', true],
      ['?', 'ä', true],
      ['?', '\u{1f600}', true],
      ['a+?', 'a+b', true],
      ['v1', 'v1', undefined],
    ]
    for (const [pattern, name, matches] of cases) assert.equal(namePattern(pattern)?.test(name), matches, pattern)
  })
})
