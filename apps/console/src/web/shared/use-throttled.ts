import { useEffect, useRef, useState } from 'react';

/** The value as it was at most `intervalMs` ago: for what must not be announced with every change. */
export function useThrottled<T>(value: T, intervalMs: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  }, [value]);
  useEffect(() => {
    const timer = setInterval(() => setShown(latest.current), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return shown;
}
