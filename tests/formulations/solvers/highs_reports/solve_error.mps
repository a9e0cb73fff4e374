NAME        
ROWS
 N  Obj     
 E  r0      
 E  r1      
 E  r2      
 E  r3      
 E  r4      
 L  r5      
 L  r6      
 L  r7      
 L  r8      
 L  r9      
 L  r10     
 L  r11     
 L  r12     
 L  r13     
 L  r14     
 L  r15     
 L  r16     
 L  r17     
 L  r18     
 L  r19     
 L  r20     
 L  r21     
 L  r22     
 L  r23     
 L  r24     
 L  r25     
 L  r26     
 L  r27     
 L  r28     
 L  r29     
 L  r30     
 L  r31     
 L  r32     
 L  r33     
 L  r34     
 L  r35     
 L  r36     
 L  r37     
 L  r38     
 L  r39     
 L  r40     
 L  r41     
 L  r42     
 L  r43     
 L  r44     
 L  r45     
 L  r46     
 L  r47     
 L  r48     
 L  r49     
 L  r50     
 L  r51     
 L  r52     
 L  r53     
 L  r54     
 L  r55     
 L  r56     
 L  r57     
 L  r58     
 L  r59     
 L  r60     
 L  r61     
 L  r62     
 L  r63     
 L  r64     
 L  r65     
 L  r66     
 L  r67     
 L  r68     
 L  r69     
 L  r70     
 L  r71     
 L  r72     
 L  r73     
 G  r74     
 G  r75     
 G  r76     
 G  r77     
 G  r78     
 G  r79     
 G  r80     
 G  r81     
 G  r82     
 G  r83     
COLUMNS
    MARK0000  'MARKER'                 'INTORG'
    c0        Obj       1
    c0        r10       -1
    c0        r60       1
    c0        r74       1
    c1        Obj       1
    c1        r11       -1
    c1        r61       1
    c1        r74       1
    c2        Obj       1
    c2        r12       -1
    c2        r62       1
    c2        r74       1
    c3        Obj       1
    c3        r13       -1
    c3        r63       1
    c3        r74       1
    c4        Obj       1
    c4        r14       -1
    c4        r64       1
    c4        r74       1
    c5        Obj       1
    c5        r15       -1
    c5        r60       1
    c5        r75       1
    c6        Obj       1
    c6        r16       -1
    c6        r61       1
    c6        r75       1
    c7        Obj       1
    c7        r17       -1
    c7        r62       1
    c7        r75       1
    c8        Obj       1
    c8        r18       -1
    c8        r63       1
    c8        r75       1
    c9        Obj       1
    c9        r19       -1
    c9        r64       1
    c9        r75       1
    c10       Obj       1
    c10       r20       -1
    c10       r60       1
    c10       r76       1
    c11       Obj       1
    c11       r21       -1
    c11       r61       1
    c11       r76       1
    c12       Obj       1
    c12       r22       -1
    c12       r62       1
    c12       r76       1
    c13       Obj       1
    c13       r23       -1
    c13       r63       1
    c13       r76       1
    c14       Obj       1
    c14       r24       -1
    c14       r64       1
    c14       r76       1
    c15       Obj       1
    c15       r25       -1
    c15       r60       1
    c15       r77       1
    c16       Obj       1
    c16       r26       -1
    c16       r61       1
    c16       r77       1
    c17       Obj       1
    c17       r27       -1
    c17       r62       1
    c17       r77       1
    c18       Obj       1
    c18       r28       -1
    c18       r63       1
    c18       r77       1
    c19       Obj       1
    c19       r29       -1
    c19       r64       1
    c19       r77       1
    c20       Obj       1
    c20       r30       -1
    c20       r60       1
    c20       r78       1
    c21       Obj       1
    c21       r31       -1
    c21       r61       1
    c21       r78       1
    c22       Obj       1
    c22       r32       -1
    c22       r62       1
    c22       r78       1
    c23       Obj       1
    c23       r33       -1
    c23       r63       1
    c23       r78       1
    c24       Obj       1
    c24       r34       -1
    c24       r64       1
    c24       r78       1
    c25       Obj       1
    c25       r35       -1
    c25       r60       1
    c25       r79       1
    c26       Obj       1
    c26       r36       -1
    c26       r61       1
    c26       r79       1
    c27       Obj       1
    c27       r37       -1
    c27       r62       1
    c27       r79       1
    c28       Obj       1
    c28       r38       -1
    c28       r63       1
    c28       r79       1
    c29       Obj       1
    c29       r39       -1
    c29       r64       1
    c29       r79       1
    c30       Obj       1
    c30       r40       -1
    c30       r60       1
    c30       r80       1
    c31       Obj       1
    c31       r41       -1
    c31       r61       1
    c31       r80       1
    c32       Obj       1
    c32       r42       -1
    c32       r62       1
    c32       r80       1
    c33       Obj       1
    c33       r43       -1
    c33       r63       1
    c33       r80       1
    c34       Obj       1
    c34       r44       -1
    c34       r64       1
    c34       r80       1
    c35       Obj       1
    c35       r45       -1
    c35       r60       1
    c35       r81       1
    c36       Obj       1
    c36       r46       -1
    c36       r61       1
    c36       r81       1
    c37       Obj       1
    c37       r47       -1
    c37       r62       1
    c37       r81       1
    c38       Obj       1
    c38       r48       -1
    c38       r63       1
    c38       r81       1
    c39       Obj       1
    c39       r49       -1
    c39       r64       1
    c39       r81       1
    c40       Obj       1
    c40       r50       -1
    c40       r60       1
    c40       r82       1
    c41       Obj       1
    c41       r51       -1
    c41       r61       1
    c41       r82       1
    c42       Obj       1
    c42       r52       -1
    c42       r62       1
    c42       r82       1
    c43       Obj       1
    c43       r53       -1
    c43       r63       1
    c43       r82       1
    c44       Obj       1
    c44       r54       -1
    c44       r64       1
    c44       r82       1
    c45       Obj       1
    c45       r55       -1
    c45       r60       1
    c45       r83       1
    c46       Obj       1
    c46       r56       -1
    c46       r61       1
    c46       r83       1
    c47       Obj       1
    c47       r57       -1
    c47       r62       1
    c47       r83       1
    c48       Obj       1
    c48       r58       -1
    c48       r63       1
    c48       r83       1
    c49       Obj       1
    c49       r59       -1
    c49       r64       1
    c49       r83       1
    c50       r0        1
    c50       r5        1
    c50       r10       1
    c50       r15       1
    c51       r0        1
    c51       r6        1
    c51       r11       1
    c51       r16       1
    c52       r0        1
    c52       r7        1
    c52       r12       1
    c52       r17       1
    c53       r0        1
    c53       r8        1
    c53       r13       1
    c53       r18       1
    c54       r0        1
    c54       r9        1
    c54       r14       1
    c54       r19       1
    c55       r1        1
    c55       r5        1
    c55       r20       1
    c55       r25       1
    c56       r1        1
    c56       r6        1
    c56       r21       1
    c56       r26       1
    c57       r1        1
    c57       r7        1
    c57       r22       1
    c57       r27       1
    c58       r1        1
    c58       r8        1
    c58       r23       1
    c58       r28       1
    c59       r1        1
    c59       r9        1
    c59       r24       1
    c59       r29       1
    c60       r2        1
    c60       r5        1
    c60       r30       1
    c60       r35       1
    c61       r2        1
    c61       r6        1
    c61       r31       1
    c61       r36       1
    c62       r2        1
    c62       r7        1
    c62       r32       1
    c62       r37       1
    c63       r2        1
    c63       r8        1
    c63       r33       1
    c63       r38       1
    c64       r2        1
    c64       r9        1
    c64       r34       1
    c64       r39       1
    c65       r3        1
    c65       r5        1
    c65       r40       1
    c65       r45       1
    c66       r3        1
    c66       r6        1
    c66       r41       1
    c66       r46       1
    c67       r3        1
    c67       r7        1
    c67       r42       1
    c67       r47       1
    c68       r3        1
    c68       r8        1
    c68       r43       1
    c68       r48       1
    c69       r3        1
    c69       r9        1
    c69       r44       1
    c69       r49       1
    c70       r4        1
    c70       r5        1
    c70       r50       1
    c70       r55       1
    c71       r4        1
    c71       r6        1
    c71       r51       1
    c71       r56       1
    c72       r4        1
    c72       r7        1
    c72       r52       1
    c72       r57       1
    c73       r4        1
    c73       r8        1
    c73       r53       1
    c73       r58       1
    c74       r4        1
    c74       r9        1
    c74       r54       1
    c74       r59       1
    c75       r5        -4
    c75       r60       -3
    c75       r65       1
    c75       r70       -1
    c76       r6        -4
    c76       r61       -3
    c76       r66       1
    c76       r70       1
    c76       r71       -1
    c77       r7        -4
    c77       r62       -3
    c77       r67       1
    c77       r71       1
    c77       r72       -1
    c78       r8        -4
    c78       r63       -3
    c78       r68       1
    c78       r72       1
    c78       r73       -1
    c79       r9        -4
    c79       r64       -3
    c79       r69       1
    c79       r73       1
    MARK0001  'MARKER'                 'INTEND'
RHS
    RHS_V     r0        1
    RHS_V     r1        1
    RHS_V     r2        1
    RHS_V     r3        1
    RHS_V     r4        1
    RHS_V     r65       1
    RHS_V     r66       1
    RHS_V     r67       1
    RHS_V     r68       1
    RHS_V     r69       1
    RHS_V     r74       1
    RHS_V     r75       1
    RHS_V     r76       1
    RHS_V     r77       1
    RHS_V     r78       1
    RHS_V     r79       1
    RHS_V     r80       1
    RHS_V     r81       1
    RHS_V     r82       1
    RHS_V     r83       1
BOUNDS
 BV BOUND     c0      
 BV BOUND     c1      
 BV BOUND     c2      
 BV BOUND     c3      
 BV BOUND     c4      
 BV BOUND     c5      
 BV BOUND     c6      
 BV BOUND     c7      
 BV BOUND     c8      
 BV BOUND     c9      
 BV BOUND     c10     
 BV BOUND     c11     
 BV BOUND     c12     
 BV BOUND     c13     
 BV BOUND     c14     
 BV BOUND     c15     
 BV BOUND     c16     
 BV BOUND     c17     
 BV BOUND     c18     
 BV BOUND     c19     
 BV BOUND     c20     
 BV BOUND     c21     
 BV BOUND     c22     
 BV BOUND     c23     
 BV BOUND     c24     
 BV BOUND     c25     
 BV BOUND     c26     
 BV BOUND     c27     
 BV BOUND     c28     
 BV BOUND     c29     
 BV BOUND     c30     
 BV BOUND     c31     
 BV BOUND     c32     
 BV BOUND     c33     
 BV BOUND     c34     
 BV BOUND     c35     
 BV BOUND     c36     
 BV BOUND     c37     
 BV BOUND     c38     
 BV BOUND     c39     
 BV BOUND     c40     
 BV BOUND     c41     
 BV BOUND     c42     
 BV BOUND     c43     
 BV BOUND     c44     
 BV BOUND     c45     
 BV BOUND     c46     
 BV BOUND     c47     
 BV BOUND     c48     
 BV BOUND     c49     
 BV BOUND     c50     
 FX BOUND     c51       0
 FX BOUND     c52       0
 FX BOUND     c53       0
 FX BOUND     c54       0
 BV BOUND     c55     
 BV BOUND     c56     
 FX BOUND     c57       0
 FX BOUND     c58       0
 FX BOUND     c59       0
 BV BOUND     c60     
 BV BOUND     c61     
 BV BOUND     c62     
 FX BOUND     c63       0
 FX BOUND     c64       0
 BV BOUND     c65     
 BV BOUND     c66     
 BV BOUND     c67     
 BV BOUND     c68     
 FX BOUND     c69       0
 BV BOUND     c70     
 BV BOUND     c71     
 BV BOUND     c72     
 BV BOUND     c73     
 BV BOUND     c74     
 BV BOUND     c75     
 BV BOUND     c76     
 BV BOUND     c77     
 BV BOUND     c78     
 BV BOUND     c79     
ENDATA
