/**
 * Every version of every fixture, and samples of large histories where they are at hand, read as git reads them.
 * @module
 */
import { roundTripSuite } from './suites/roundtrip.js'
import { corpus, fixture } from './support/corpus.js'

for (const name of ['small', 'badmerge', 'oddities', 'odd-trees']) roundTripSuite(name, fixture(name))

const express = corpus('express')
roundTripSuite('express', express.path, { skip: express.skip, lists: 25, contents: 100, restores: 3 })

const redis = corpus('redis-2024-03')
roundTripSuite('redis-2024-03', redis.path, { skip: redis.skip, lists: 8, contents: 40, restores: 2, inParts: false })
