//! How stages hang together: cycles.

/// Cycles of a graph, each as the numbers of its nodes in the order in which rows would flow, each node in at most one
/// of them. `inputs` lists the nodes that feed each node.
pub(super) fn cycles(inputs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; inputs.len()];
    let mut cycles = Vec::new();
    for start in 0..inputs.len() {
        if marks.get(start) != Some(&Mark::New) {
            continue;
        }
        // A path of nodes, each with how many of its inputs were looked at. No recursion: files may be long.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        set(&mut marks, start, Mark::OnPath);
        while let Some((node, looked_at)) = path.last_mut() {
            let next = inputs.get(*node).and_then(|inputs| inputs.get(*looked_at)).copied();
            *looked_at += 1;
            match next {
                None => {
                    set(&mut marks, *node, Mark::Done);
                    path.pop();
                }
                Some(next) => match marks.get(next) {
                    Some(Mark::New) => {
                        set(&mut marks, next, Mark::OnPath);
                        path.push((next, 0));
                    }
                    Some(Mark::OnPath) => {
                        let mut cycle: Vec<usize> =
                            path.iter().map(|(node, _)| *node).skip_while(|node| *node != next).collect();
                        cycle.reverse();
                        cycles.push(cycle);
                    }
                    _ => {}
                },
            }
        }
    }
    return cycles;

    fn set(marks: &mut [Mark], at: usize, mark: Mark) {
        if let Some(slot) = marks.get_mut(at) {
            *slot = mark;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found() {
        assert!(cycles(&[vec![], vec![0], vec![0, 1], vec![2, 1]]).is_empty());
        assert_eq!(cycles(&[vec![0]]), [vec![0]]);
        // 0 feeds 1 feeds 2 feeds 0
        assert_eq!(cycles(&[vec![2], vec![0], vec![1]]), [vec![1, 2, 0]]);
        assert_eq!(cycles(&[vec![1], vec![0], vec![3], vec![2]]).len(), 2);
        assert!(cycles(&[vec![9]]).is_empty());
    }
}
