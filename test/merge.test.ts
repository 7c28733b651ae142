/**
 * Merging, from versions to what comes out: what must come out right, and every kind of conflict.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mergeStates } from '../src/history/merge.js'
import { imported } from './support/imported.js'
import { lines, Story } from './support/merging.js'

describe('merging must come out right', () => {
  it('where a line of the original changes and a copy stands above it', async () => {
    await using repo = await (await imported('badmerge')).open()
    const sides = { left: (await repo.resolve('copy')).vector, right: (await repo.resolve('mend')).vector }
    const right = Buffer.from(await repo.read('square.c', { at: 'right' })).toString()
    for (const [left, other] of [
      [sides.left, sides.right],
      [sides.right, sides.left],
    ] as const) {
      const { conflicts, paths } = await mergeStates(repo, left, other)
      assert.deepEqual(conflicts, [])
      const content = paths[0]?.put?.content as Uint8Array
      assert.equal(Buffer.from(content).toString(), right)
    }
  })

  it('where both sides made the same change', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e') })
    const left = await story.commit([base], { f: lines('a X Y d e') })
    const right = await story.commit([base], { f: lines('a X Y d e') })
    assert.deepEqual((await story.outcome(left, right)).conflicts, [])
    assert.deepEqual(await story.merged(left, right), { f: lines('a X Y d e') })
    const merged = await story.merge(left, right)
    assert.deepEqual(await story.files(merged), { f: lines('a X Y d e') })
  })

  it('where merges cross: the same state in both orders, nothing twice', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e f g') })
    const left = await story.commit([base], { f: lines('a L b c d e f g') })
    const right = await story.commit([base], { f: lines('a b c d e f R g') })
    const one = await story.merge(left, right)
    const two = await story.merge(right, left)
    const after = { f: lines('a L b c d e f R g') }
    assert.deepEqual(await story.files(one), after)
    const next = [await story.commit([one], { f: lines('a L b c X d e f R g') }), two] as const
    for (const [x, y] of [next, [next[1], next[0]] as const]) {
      assert.deepEqual(await story.files(await story.merge(x, y)), { f: lines('a L b c X d e f R g') })
    }
  })

  it('where a merge is repeated', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c') })
    const left = await story.commit([base], { f: lines('L a b c') })
    const right = await story.commit([base], { f: lines('a b c R') })
    const merged = await story.merge(left, right)
    for (const side of [left, right, merged]) {
      const { kind, paths } = await story.outcome(merged, side)
      assert.deepEqual({ kind, paths }, { kind: 'already', paths: [] })
    }
    assert.equal((await story.outcome(left, merged)).kind, 'fast-forward')
    assert.deepEqual(await story.merged(left, merged), await story.files(merged))
  })

  it('where it does not: a conflict names the versions and their authors', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b') })
    const outcome = await story.outcome(
      await story.commit([base], { f: lines('a b c') }, 'Léa'),
      await story.commit([base], { f: lines('a b d') }, 'Ben'),
    )
    assert.equal(outcome.conflicts[0]?.regions[0]?.left.by[0]?.name, 'Léa')
  })
})
