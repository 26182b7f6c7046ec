# The tag of the exception that longjmp throws. The compiler refers to it, and the C library has it only in some versions.
	.globl	__c_longjmp
	.tagtype	__c_longjmp i32
__c_longjmp:
