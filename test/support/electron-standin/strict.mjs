// An object of the stand-in that throws for anything it does not model.
const passive = new Set(['then', 'toJSON', 'nodeType', 'asymmetricMatch'])

/** @param {{ bind?: boolean }} options bind: methods belong to the object (not so for a module of classes) */
export function strict(label, object, { bind = true } = {}) {
  return new Proxy(object, {
    get(target, key) {
      if (!(key in target) && typeof key === 'string' && !passive.has(key))
        throw new Error(`electron stand-in: ${label}.${key} is not modelled`)
      const value = Reflect.get(target, key, target)
      return bind && typeof value === 'function' ? value.bind(target) : value
    },
    set(target, key, value) {
      return Reflect.set(target, key, value, target)
    },
  })
}
