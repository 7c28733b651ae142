#!/usr/bin/env node
/**
 * Starts weft. The version needs no more than this file; everything else is in the bundle that the build makes.
 *
 * This file and the bundle are CommonJS, because Node starts it faster: 7 ms of some 90.
 * @module
 */
const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  process.stdout.write(`weft ${require('../package.json').version}\n`)
} else if (require('node:fs').existsSync(`${__dirname}/../dist/cli/main.js`)) {
  const { enableCompileCache } = require('node:module')
  if (process.env.WEFT_DEBUG)
    process.setSourceMapsEnabled(true) // stack traces name lines of the sources
  else if (enableCompileCache)
    enableCompileCache() // Node 22 and later
  else require('./code-cache.js').keepCode(require('node:path').resolve(__dirname, '../dist'), args)
  require('../dist/cli/main.js').run(args)
} else {
  process.stderr.write('Error: weft is not built yet.\nHint: Run npm run build in the project first.\n')
  process.exitCode = 1
}
