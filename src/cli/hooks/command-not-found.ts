/**
 * What oclif calls for a command that does not exist: names the one that was probably meant.
 * @module
 */
import type { Hook } from '@oclif/core/hooks'
import { CodedError } from '../../base/error.js'
import { suggestCommand } from '../suggest.js'

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  const words = id.split(':')
  const commands = config.commands.filter((c) => !c.hidden).map((c) => c.id.replaceAll(':', ' '))
  const meant = suggestCommand(words, commands)
  const topic = commands.some((c) => c.startsWith(`${words[0]} `))
  const typed = words.slice(0, topic ? 2 : 1).join(' ')
  throw new CodedError('COMMAND_UNKNOWN', `There is no command ${typed} in weft.`, {
    hint: meant === undefined ? 'Run weft --help to see all commands.' : `Did you mean weft ${meant}?`,
    data: meant === undefined ? undefined : { suggestion: meant },
  })
}

export default hook
