/**
 * Spoilt conversations, for a little while: `npm run fuzz:sync` does it for longer.
 */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { Chance } from './simulation/chance.js'
import { Fuzzer } from './simulation/fuzzer.js'
import { random } from './support/random.js'

const { seed } = random('spoilt conversations')
const { randomBytes } = crypto

after(() => void Object.assign(crypto, { randomBytes }))

describe('conversations that were spoilt', () => {
  it('end in a coded error, or well, and leave a sound store', async () => {
    const one = seed >>> 1
    Object.assign(crypto, { randomBytes: new Chance(one + 1).bytes })
    const fuzzer = await Fuzzer.begin(one)
    try {
      for (let i = 0; i < 150; i++) await fuzzer.round()
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\nTo see it again: npm run fuzz:sync -- --seed ${one}`, { cause })
    }
    const { outcomes } = fuzzer.result
    assert(Object.keys(outcomes).length > 4, JSON.stringify(outcomes))
  })
})
