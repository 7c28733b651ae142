/**
 * Names of versions with steps into their past behind them.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { merge, switchTo } from '../src/index.js'
import { AUTHOR, Playground } from './support/playground.js'

describe('steps into the past', () => {
  it('go from any name of a version to its parents', async () => {
    await using play = await Playground.begin()
    const ids: string[] = []
    for (const text of ['one\n', 'two\n', 'three\n']) {
      play.write({ file: text })
      ids.push(await play.commit(text))
    }
    const [one = '', two = '', three = ''] = ids
    await switchTo(play.work, { to: one })
    await switchTo(play.work, { create: 'topic' })
    play.write({ other: 'x\n' })
    const side = await play.commit('side')
    await merge(play.work, { author: AUTHOR, version: 'main' })
    const named = async (text: string) => toHex((await play.repo.resolve(text)).version?.id ?? new Uint8Array(0))
    for (const [text, wanted] of [
      ['main~', two],
      ['main~2', one],
      ['main^^', one],
      ['main~0', three],
      ['HEAD^', side],
      ['topic^2', three],
      ['topic^2~1', two],
      [`${three.slice(0, 12)}^`, two],
    ] as const) {
      assert.equal(await named(text), wanted, text)
    }
    for (const text of ['main~3', 'main^2', 'nothing~', '~', `${one}^`]) {
      await assert.rejects(named(text), { code: 'V_UNKNOWN' }, text)
    }
  })
})
