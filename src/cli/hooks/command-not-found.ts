/**
 * What oclif calls for a command that does not exist: names the one that was probably meant.
 * @module
 */
import type { Hook } from '@oclif/core/hooks'
import { unknownCommand } from '../suggest.js'

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const commands = config.commands.filter((c) => !c.hidden).map((c) => c.id.replaceAll(':', ' '))
  throw unknownCommand(id.split(':'), commands)
}

export default hook
