/**
 * Patches: what git, patch and weft itself make of them must be the files that they were made from.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fromLatin1 } from '../src/base/bytes.js'
import { formatDiffStat } from '../src/cli/format-diff.js'
import { PLAIN } from '../src/cli/style.js'
import { describeChange } from '../src/repo/changes.js'
import { patchOf } from '../src/repo/patch.js'
import type { FileDiff } from '../src/repo/results.js'
import { applyPatch, type PatchFile } from '../src/worktree/patch-apply.js'
import { parsePatchText, reversePatch } from '../src/worktree/patch-text.js'
import { git } from './support/git.js'
import {
  changedTree,
  changesBetween,
  FILE,
  format,
  LINK,
  patchBetween,
  randomTree,
  shown,
  type Tree,
  treeOn,
  writeTree,
} from './support/odd-trees.js'
import { random } from './support/random.js'
import { temporary } from './support/temp.js'

/** What our own reading makes of a patch. */
async function applied(tree: Tree, patch: string, reverse = false): Promise<Tree> {
  const read = (path: string): PatchFile | undefined => {
    const file = tree.get(path)
    return file && { mode: file.mode, bytes: fromLatin1(file.data) }
  }
  const files = await parsePatchText(fromLatin1(patch))
  const { paths } = applyPatch(reverse ? reversePatch(files) : files, read)
  const after: Tree = new Map(tree)
  for (const { path, after: now } of paths) {
    if (now === undefined) after.delete(path)
    else after.set(path, { mode: now.mode, data: Buffer.from(now.bytes).toString('latin1') })
  }
  return after
}

const ROUNDS = 60

describe('patches of random changes', () => {
  const chance = random('patches')
  const rounds = Array.from({ length: ROUNDS }, (_, i) => {
    const before = randomTree(chance)
    const { after, moves } = changedTree(chance, before)
    return { before, after, moves, patch: patchBetween(before, after, moves, i % 5 === 4 ? 1 : 3) }
  }).filter(({ patch }) => patch !== '')

  it('are applied by weft, and taken back', async () => {
    for (const { before, after, patch } of rounds) {
      assert.deepEqual(shown(await applied(before, patch)), shown(after), patch)
      assert.deepEqual(shown(await applied(after, patch, true)), shown(before), patch)
    }
  })

  it('are applied by git', () => {
    for (const { before, after, patch } of rounds) {
      const dir = temporary('git')
      writeTree(dir, before)
      git(dir, ['apply', '--whitespace=nowarn', '-'], Buffer.from(patch, 'latin1'))
      assert.deepEqual(shown(treeOn(dir)), shown(after), patch)
    }
  })

  it('are applied by patch', (t) => {
    if (spawnSync('patch', ['--version']).status !== 0) return t.skip('there is no patch here')
    for (const { before, after, patch } of rounds) {
      const dir = temporary('patch')
      writeTree(dir, before)
      const input = Buffer.from(patch, 'latin1')
      const said = spawnSync('patch', ['-p1', '-s', '--binary', '-d', dir], { input })
      assert.equal(said.status, 0, `${said.stdout}${said.stderr}\n${patch}`)
      assert.deepEqual(shown(treeOn(dir)), shown(after), patch)
    }
  })
})

describe('the table of what changed', () => {
  const chance = random('stat')

  it('is the one of git diff --stat', () => {
    for (let i = 0; i < 25; i++) {
      const before = plainTree(randomTree(chance))
      const after = plainTree(changedTree(chance, before).after)
      const dir = temporary('stat')
      writeTree(dir, before)
      git(dir, ['init', '-q'])
      git(dir, ['add', '-A'])
      git(dir, ['-c', 'user.name=a', '-c', 'user.email=a', 'commit', '-qm', 'x', '--allow-empty'])
      git(dir, ['rm', '-rq', '--ignore-unmatch', '.'])
      writeTree(dir, after)
      git(dir, ['add', '-A'])
      const diffs = changesBetween(before, after, new Map()).map((change): FileDiff => {
        const { added, deleted, binary } = patchOf(change, format)
        const [size, oldSize] = [change.now?.length ?? 0, change.old?.length ?? 0]
        return { ...describeChange(change, binary), added, deleted, size, oldSize }
      })
      for (const width of [25, 40, 80, 120]) {
        const table = git(dir, ['diff', '--cached', '--no-renames', `--stat=${width}`]).toString()
        assert.equal(formatDiffStat(diffs, PLAIN, width), table)
      }
    }
  })

  /** Without what the two count or write otherwise: names that git quotes, links that become files. */
  function plainTree(tree: Tree): Tree {
    const kept = [...tree].filter(([path, { mode }]) => /^[a-z/. ]+$/.test(path) && mode !== LINK)
    const lines = `${kept.length}\n`.repeat(90)
    const binary = kept.length % 3 === 0 ? '' : `\0${lines}`
    return new Map([
      ...kept,
      ['long/way/down/to/a/file/with/a/name', { mode: FILE, data: lines }],
      ['picture', { mode: FILE, data: binary }],
    ])
  }
})
