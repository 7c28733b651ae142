/**
 * Maps that fill themselves.
 * @module
 */

/** The value at `key`, which `make` makes where there is none. */
export function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined || map.has(key)) return found as V
  const made = make()
  map.set(key, made)
  return made
}
