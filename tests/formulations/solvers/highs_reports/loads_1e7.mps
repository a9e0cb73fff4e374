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
COLUMNS
    MARK0000  'MARKER'                 'INTORG'
    c0        Obj       1
    c0        r5        -1
    c0        r6        -1
    c1        r0        1
    c1        r5        10000047
    c2        r0        1
    c2        r6        10000047
    c3        r1        1
    c3        r5        10000013
    c4        r1        1
    c4        r6        10000013
    c5        r2        1
    c5        r5        10000027
    c6        r2        1
    c6        r6        10000027
    c7        r3        1
    c7        r5        5000023
    c8        r3        1
    c8        r6        5000023
    c9        r4        1
    c9        r5        5000001
    c10       r4        1
    c10       r6        5000001
    MARK0001  'MARKER'                 'INTEND'
RHS
    RHS_V     r0        1
    RHS_V     r1        1
    RHS_V     r2        1
    RHS_V     r3        1
    RHS_V     r4        1
BOUNDS
 LI BOUND     c0        0
 BV BOUND     c1      
 FX BOUND     c2        0
 BV BOUND     c3      
 BV BOUND     c4      
 BV BOUND     c5      
 BV BOUND     c6      
 BV BOUND     c7      
 BV BOUND     c8      
 BV BOUND     c9      
 BV BOUND     c10     
ENDATA
